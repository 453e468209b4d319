"""A canary that fails late, in its soak, by what Prometheus says; by the real pass on a fleet in memory."""

from __future__ import annotations

from dataclasses import replace

from reconciler.domain.desired import Canary, Desired, Prometheus
from reconciler.domain.metric import MetricSample
from reconciler.domain.probe import MetricProbe
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from tests.scenarios.stage import Stage
from tests.support.sample import KEYSTONE, desired

ERRORS = MetricProbe(name="errors", promql="errors > 1", good="none", interval_s=5, warmup_s=20)
BAD = (MetricSample(value=7, labels={"__name__": "errors"}),)


def soaking(release: str, probe: MetricProbe = ERRORS, soak_s: float = 120) -> Desired:
    found = desired(release=release, verify=(*KEYSTONE.verify, probe), canary=Canary(soak_s=soak_s))
    return replace(found, prometheus=Prometheus(url="http://prometheus.example:9090"))


async def at_yoga(probe: MetricProbe = ERRORS) -> Stage:
    stage = Stage()
    stage.metrics.answers = {"errors > 1": ()}
    stage.commit(soaking("yoga", probe))
    await stage.until(State.IN_SYNC)
    return stage


async def until_the_canary_runs(stage: Stage) -> None:
    while "keystone.roll.start@ks1" not in stage.fleet.ledger:
        await stage.step()


async def test_a_canary_that_is_quiet_for_its_soak_is_followed_by_the_others():
    stage = await at_yoga()
    stage.commit(soaking("2026.1"))
    await until_the_canary_runs(stage)
    began = stage.clock.now()
    while "keystone.roll.stop@ks2" not in stage.fleet.ledger and "keystone.roll.install@ks2" not in stage.fleet.ledger:
        await stage.step()
    assert (stage.clock.now() - began).total_seconds() >= 115
    await stage.until(State.IN_SYNC)


async def test_a_canary_that_fails_late_takes_the_leg_back():
    stage = await at_yoga()
    stage.commit(soaking("2026.1"))
    await until_the_canary_runs(stage)
    for _ in range(60):
        await stage.step()
    stage.metrics.answers = {"errors > 1": BAD}
    for _ in range(20):
        await stage.step()
    stage.metrics.answers = {"errors > 1": ()}

    verdict = await stage.until(State.HALTED)
    assert verdict.reason == Reason.CANARY_FAILED
    assert "then 1: errors{} 7" in verdict.text
    assert stage.running() == {"ks1": "yoga", "ks2": "yoga", "ks3": "yoga"}


async def test_a_prometheus_that_falls_silent_never_counts_as_good():
    stage = await at_yoga()
    stage.commit(soaking("2026.1"))
    await until_the_canary_runs(stage)
    stage.metrics.answers = {}
    for _ in range(200):
        await stage.step()
    assert {halt.reason for halt in stage.memory.history.halts} >= {Reason.PROBE_INCONCLUSIVE}
    assert stage.running()["ks2"] != "2026.1"


async def test_a_probe_that_only_reports_stops_nothing():
    stage = await at_yoga(replace(ERRORS, report_only=True))
    stage.metrics.answers = {"errors > 1": BAD}
    stage.commit(soaking("2026.1", replace(ERRORS, report_only=True), soak_s=0))
    await stage.until(State.IN_SYNC)
    assert stage.running() == {"ks1": "2026.1", "ks2": "2026.1", "ks3": "2026.1"}
