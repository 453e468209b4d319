"""What fires by Prometheus, and when nobody can tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from reconciler.domain.alert import Alert
from reconciler.domain.desired import Prometheus
from reconciler.domain.metric import MetricSample
from reconciler.domain.observation import Known, Observed, Unknown
from reconciler.domain.quiet import MetricsServer
from reconciler.execution.metrics import look_at_alerts
from tests.scenarios.stage import Stage
from tests.support.sample import DESIRED

UP = (MetricSample(value=1, labels={"__name__": "ALERTS"}),)
ALERT = Alert(name="critical", promql="firing", present="watchdog")


async def asked(
    server: MetricsServer | None = None, alert: Alert = ALERT, **answers: tuple[MetricSample, ...]
) -> Observed[tuple[MetricSample, ...]]:
    stage = Stage()
    stage.metrics.answers, stage.metrics.server = answers, server
    wanted = replace(DESIRED, alerts=(alert,), prometheus=Prometheus(url="http://prometheus.example:9090"))
    return (await look_at_alerts(wanted, stage.ports()))["critical"]


async def test_a_server_that_knows_of_it_says_what_fires():
    assert await asked(firing=UP, watchdog=UP) == Known(UP, Stage().clock.now())
    quiet = await asked(firing=(), watchdog=UP)
    assert isinstance(quiet, Known)
    assert quiet.value == ()


async def test_of_one_that_has_lost_its_rules_nobody_can_tell():
    seen = await asked(firing=(), watchdog=())
    assert isinstance(seen, Unknown)
    assert seen.text == "watchdog has no samples"


async def test_a_silence_without_anything_that_would_be_present_counts_only_of_a_server_that_would_know_better():
    alert, now = replace(ALERT, present=""), Stage().clock.now()
    assert isinstance(await asked(None, alert, firing=UP), Known)
    for server, text in (
        (None, "does not tell"),
        (MetricsServer(started_at=now - timedelta(seconds=20)), "runs for 20 s only"),
    ):
        seen = await asked(server, alert, firing=())
        assert isinstance(seen, Unknown)
        assert text in seen.text
    assert isinstance(await asked(MetricsServer(started_at=now - timedelta(days=1)), alert, firing=()), Known)


async def test_a_server_that_could_not_tell_once_is_believed_when_it_can():
    stage = Stage()
    stage.metrics.answers, stage.metrics.unsure = {"firing": UP, "watchdog": UP}, 1
    wanted = replace(DESIRED, alerts=(ALERT,), prometheus=Prometheus(url="http://prometheus.example:9090"))
    seen = [(await look_at_alerts(wanted, stage.ports()))["critical"] for _ in range(2)]
    assert [type(each) for each in seen] == [Unknown, Known]
