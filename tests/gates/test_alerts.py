"""What fires, or might, while a leg begins."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.domain.alert import Alert
from reconciler.domain.gate import Holds
from reconciler.domain.metric import MetricSample
from reconciler.domain.observation import Absent, Known, Observed, Unknown
from reconciler.domain.reasons import Reason
from reconciler.gates import Case
from reconciler.gates.alerts import judge
from tests.support.sample import DESIRED

NOW = datetime(2026, 1, 2, tzinfo=UTC)
CRITICAL = Alert(name="critical", promql='ALERTS{severity="critical"}')
DISK = MetricSample(value=1, labels={"__name__": "ALERTS", "alertname": "DiskFull"})
Answer = Observed[tuple[MetricSample, ...]]


def case(answer: Answer | None, alert: Alert = CRITICAL, *, begun: bool = False, wave: int = 0) -> Case:
    return Case(
        group="keystone",
        desired=replace(DESIRED, alerts=(alert,)),
        now=NOW,
        begun=begun,
        wave=wave,
        alerts={} if answer is None else {alert.name: answer},
    )


def test_quiet_is_an_answer_without_samples():
    assert judge(case(Known((), NOW - timedelta(minutes=15)))) == ()


def test_what_fires_is_named():
    (found,) = judge(case(Known((DISK,) * 5, NOW)))
    assert (found.reason, found.holds) == (Reason.ALERT_FIRING, Holds.SERVING)
    assert found.text.startswith('critical: ALERTS{alertname="DiskFull"} 1')
    assert found.text.endswith("and 2 more")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (None, "critical: it was not asked yet"),
        (Absent(NOW), "critical: it was not asked yet"),
        (Unknown("MetricsUnreachable", "no answer within 20 s", NOW), "critical: no answer within 20 s"),
        (Known((), NOW - timedelta(minutes=16)), "critical: the newest answer is from 2026-01-01 23:44 UTC"),
    ],
)
def test_silence_never_counts_as_quiet(answer: Answer | None, text: str):
    (found,) = judge(case(answer))
    assert (found.reason, found.text) == (Reason.ALERT_UNKNOWN, text)


def test_other_groups_are_not_held_back():
    assert judge(case(None, replace(CRITICAL, groups=frozenset({"nova"})))) == ()


def test_a_leg_that_has_begun_is_held_back_before_waves_alone_and_only_where_git_says_so():
    fires = Known((DISK,), NOW)
    waves = replace(CRITICAL, until="waves")
    assert judge(case(fires, begun=True, wave=1)) == ()
    assert judge(case(fires, waves, begun=True)) == ()
    assert len(judge(case(fires, waves, begun=True, wave=1))) == 1
