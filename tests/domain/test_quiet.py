"""When an empty answer of a Prometheus says that all is quiet, from literals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.domain.quiet import SETTLED, AlertRule, MetricsServer, judge_quiet

NOW = datetime(2026, 1, 2, tzinfo=UTC)
NEVER = datetime(1, 1, 1, tzinfo=UTC)
FIRING = 'ALERTS{alertstate="firing"}'


def rule(name: str = "DiskFull", health: str = "ok", at: datetime = NOW) -> AlertRule:
    return AlertRule(name=name, health=health, evaluated_at=at)


def said(promql: str, *rules: AlertRule, age: timedelta = SETTLED) -> str:
    return judge_quiet(promql, MetricsServer(started_at=NOW - age, rules=rules), NOW)


def test_a_server_that_has_just_begun_is_not_quiet():
    assert (
        said("errors > 1", age=timedelta(seconds=40)) == "Prometheus runs for 40 s only; its silence counts after 300 s"
    )
    assert said("errors > 1") == ""


def test_one_whose_clock_is_ahead_is_not_quiet_either():
    assert said("errors > 1", age=-timedelta(hours=1))


def test_only_what_asks_for_alerts_needs_rules():
    assert said("my_ALERTS_total > 1") == ""
    assert said(FIRING) == "Prometheus has no alerting rules"
    assert said(FIRING, rule()) == ""


@pytest.mark.parametrize(
    "mute", [rule(health="unknown", at=NEVER), rule(health="err"), rule(at=NOW - SETTLED - timedelta(seconds=1))]
)
def test_a_rule_that_was_not_evaluated_since_the_server_began_never_fires(mute: AlertRule):
    assert said(FIRING, rule("Watchdog"), mute).endswith("its rule DiskFull")


def test_where_rules_are_named_those_must_be_there_and_no_other_counts():
    named = 'ALERTS{alertname="DiskFull"} or ALERTS{alertname = "CephDown"}'
    assert said(named, rule("Watchdog")) == "Prometheus has no alerting rule CephDown, DiskFull"
    assert said(named, rule("DiskFull"), rule("CephDown"), rule("Other", "err")) == ""
    assert said('ALERTS{alertname!="Other"}', rule("Other", "err")).endswith("its rule Other")
