"""A leg waits before its pause while something fires, by the real pass on a fleet in memory."""

from __future__ import annotations

from dataclasses import replace

from reconciler.domain.alert import Alert
from reconciler.domain.desired import Prometheus
from reconciler.domain.metric import MetricSample
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from tests.scenarios.stage import Stage
from tests.support.sample import desired

FIRES = (MetricSample(value=1, labels={"__name__": "ALERTS", "alertname": "DiskFull"}),)


async def test_a_leg_waits_for_what_fires_and_for_a_prometheus_that_says_nothing():
    stage = Stage()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    alert = Alert(name="critical", promql="ALERTS")
    server = Prometheus(url="http://prometheus.example:9090")
    stage.commit(replace(desired(release="2026.1"), alerts=(alert,), prometheus=server))

    await stage.until(State.WAITING, reason=Reason.ALERT_UNKNOWN)
    stage.metrics.answers = {"ALERTS": FIRES}
    verdict = await stage.until(State.WAITING, reason=Reason.ALERT_FIRING)
    assert "DiskFull" in verdict.text
    assert {step.split(".")[1] for step in stage.fleet.ledger} == {"preflight", "prepare"}

    stage.metrics.answers = {"ALERTS": ()}
    await stage.until(State.IN_SYNC)
