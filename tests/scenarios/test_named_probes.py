"""Probes that a procedure names are asked by the daemon, by the real pass on a fleet in memory."""

from __future__ import annotations

from dataclasses import replace

from reconciler.domain.desired import Desired, Prometheus
from reconciler.domain.metric import MetricSample
from reconciler.domain.probe import MetricProbe
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from tests.scenarios.stage import Stage
from tests.support.procedures import written
from tests.support.sample import DESIRED, desired

AGENTS = MetricProbe(name="agents", promql="agents_up", good="some", warmup_s=5.0)
UP = (MetricSample(value=1, labels={"__name__": "agents_up"}),)
WATCHFUL = """
watchful:
  text: Rolls while the agents are watched, and waits for them.
  leg: route
  phases:
    - {phase: prepare, on: fleet, steps: [prepare_build]}
    - {phase: quiesce, on: fleet, steps: [stop]}
    - {phase: backup, on: bootstrap, steps: [backup]}
    - {phase: migrate, each: hop, on: bootstrap, steps: [install_tools, configure, schema]}
    - phase: roll
      on: wave
      steps: [install_build, configure, start, {action: wait_until, probe: agents, deadline_s: 60}]
  watches:
    - {name: agents, probe: agents, from: quiesce, to: roll}
"""


def wanted(release: str) -> Desired:
    return replace(
        desired(release=release, procedure="watchful"),
        procedures={**DESIRED.procedures, **written(WATCHFUL)},
        probes={"agents": AGENTS},
        prometheus=Prometheus(url="http://prometheus.example:9090"),
    )


async def at_yoga() -> Stage:
    stage = Stage()
    stage.metrics.answers = {"agents_up": UP}
    stage.commit(wanted("yoga"))
    await stage.until(State.IN_SYNC)
    return stage


async def test_what_is_good_all_the_time_lets_the_leg_go_on_to_its_end():
    stage = await at_yoga()
    stage.commit(wanted("2026.1"))
    await stage.until(State.IN_SYNC)
    assert stage.running() == {"ks1": "2026.1", "ks2": "2026.1", "ks3": "2026.1"}


async def test_a_watch_that_turns_bad_fails_like_a_canary_and_the_leg_is_taken_back():
    stage = await at_yoga()
    stage.commit(wanted("2026.1"))
    while not any(".migrate." in step for step in stage.fleet.ledger):
        await stage.step()
    stage.metrics.answers = {"agents_up": ()}
    halted = await stage.until(State.HALTED)
    assert halted.reason == Reason.CANARY_FAILED
    assert "check the watch on agents" in halted.text
    assert stage.running() == {"ks1": "yoga", "ks2": "yoga", "ks3": "yoga"}
