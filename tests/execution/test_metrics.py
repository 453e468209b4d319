"""What fires by Prometheus, and when nobody can tell."""

from __future__ import annotations

from dataclasses import replace

from reconciler.domain.alert import Alert
from reconciler.domain.desired import Prometheus
from reconciler.domain.metric import MetricSample
from reconciler.domain.observation import Known, Observed, Unknown
from reconciler.execution.metrics import look_at_alerts
from tests.scenarios.stage import Stage
from tests.support.sample import DESIRED

UP = (MetricSample(value=1, labels={"__name__": "ALERTS"}),)
ALERT = Alert(name="critical", promql="firing", present="watchdog")


async def asked(**answers: tuple[MetricSample, ...]) -> Observed[tuple[MetricSample, ...]]:
    stage = Stage()
    stage.metrics.answers = answers
    wanted = replace(DESIRED, alerts=(ALERT,), prometheus=Prometheus(url="http://prometheus.example:9090"))
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
