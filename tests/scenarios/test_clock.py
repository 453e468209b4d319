"""The clock of the daemon's machine is set while a leg goes on: nothing passes for seen that was not."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from reconciler.domain.effect import AskProbe
from reconciler.domain.outcome import Sample
from reconciler.domain.probe import TcpProbe
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from reconciler.execution.executor import Executor
from reconciler.execution.memory import Memory
from reconciler.execution.sampling import sampled
from reconciler.ports import Clock
from tests.fakes.clock import VirtualClock, settle
from tests.fakes.journal import MemoryJournal
from tests.scenarios.stage import Stage
from tests.support.sample import DESIRED
from tests.web.test_publish import publisher

BACK = (timedelta(hours=-1), timedelta(days=-3), timedelta(days=-20_000))
STEPS = (0, 5, 12, 20)
"""Passes of the leg before the clock is set; it takes a few more."""


class SetClock:
    """A clock that somebody has set: time passes as on any other."""

    def __init__(self, right: Clock) -> None:
        self.right = right
        self.off = timedelta()

    def now(self) -> datetime:
        return self.right.now() + self.off

    def elapsed_s(self) -> float:
        return self.right.elapsed_s()

    async def sleep(self, seconds: float) -> None:
        await self.right.sleep(seconds)


class Skewed(Stage):
    """A stage on which the daemon's clock is not that of the hosts."""

    def __init__(self) -> None:
        clock = VirtualClock()
        self.daemons = SetClock(clock)
        super().__init__(clock=clock)

    def start(self) -> None:
        self.journal = MemoryJournal(self.daemons, self.store)
        ports = replace(self.ports(), clock=self.daemons)
        self.memory = Memory(ports, self.read, Executor(ports))


async def at_yoga() -> Skewed:
    stage = Skewed()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    return stage


async def advanced() -> Skewed:
    stage = await at_yoga()
    stage.want(release="2026.1")
    await stage.until(State.IN_SYNC)
    return stage


@pytest.mark.parametrize("by", [*BACK, timedelta(hours=1)], ids=str)
@pytest.mark.parametrize("after", STEPS)
async def test_a_leg_goes_on_as_if_nothing_was(after: int, by: timedelta):
    undisturbed, stage = await advanced(), await at_yoga()
    stage.want(release="2026.1")
    for _ in range(after):
        await stage.step()

    stage.daemons.off = by
    await stage.until(State.IN_SYNC)

    assert sorted(stage.fleet.ledger) == sorted(undisturbed.fleet.ledger)
    assert stage.memory.history.halts == ()


@pytest.mark.parametrize("by", BACK, ids=str)
async def test_a_daemon_whose_journal_is_of_days_to_come_goes_on(by: timedelta):
    stage = await advanced()
    await stage.kill()
    stage.daemons.off = by
    stage.start()
    stage.want(release="2026.1", vars={"region": "north"})
    await stage.until(State.IN_SYNC)
    assert [run.ended for run in stage.memory.history.runs] == ["done", "done"]


@pytest.mark.parametrize("by", BACK, ids=str)
async def test_the_fleet_is_looked_at_as_often_as_before(by: timedelta):
    stage = await at_yoga()
    stage.daemons.off = by
    stage.fleet.machines["ks2"].running = ""
    await stage.until(State.PROGRESSING, State.BLOCKED, State.WAITING)


@pytest.mark.parametrize("by", BACK, ids=str)
async def test_a_probe_that_is_never_good_comes_to_its_end(by: timedelta):
    stage = await at_yoga()

    async def connect(host: str, port: int) -> Sample:
        stage.daemons.off = by
        return Sample(ok=False, text="refused")

    stage.fleet.connect = connect
    ports = replace(stage.ports(), clock=stage.daemons)
    probe = AskProbe(probe=TcpProbe(name="api", host="ks1", port=5000, warmup_s=5))
    task = asyncio.create_task(sampled(probe, DESIRED, ports))
    for _ in range(10):
        await settle()
        await stage.clock.advance(1.0)
    assert task.done()


@pytest.mark.parametrize("by", BACK, ids=str)
async def test_the_heart_that_others_see_goes_on_beating(by: timedelta):
    stage = await at_yoga()
    publish = publisher(stage)
    await publish(await stage.pass_once())
    stage.daemons.off = by
    report = await stage.pass_once()
    await publish(report)
    assert publish.documents.kept["status"]["at"].startswith(f"{report.at:%Y-%m-%dT%H:%M}")


async def test_a_step_that_runs_is_timed_by_no_wall_clock():
    step = "keystone.migrate.schema-sync.main.2023.1@ks1"
    stage = await at_yoga()
    stage.fleet.hosts.faults.held = {step}
    stage.want(release="2026.1")
    while not (run := stage.memory.history.open_run("keystone")) or step not in run.attempts:
        await stage.step()

    stage.daemons.off = timedelta(days=3)
    await stage.step()
    assert stage.memory.history.halts == ()
    (timeout_s,) = (each.timeout_s for each in run.steps if each.id == step)
    await stage.clock.advance(timeout_s + 1)
    await stage.step()
    assert [halt.reason for halt in stage.memory.history.halts] == [Reason.STEP_SLOW]
