"""A daemon that is killed at each write of its journal, and started again: nothing is lost, doubled or hidden."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from reconciler.domain.verdict import State
from tests.fakes.journal import Fault, Killed
from tests.scenarios.stage import BROKEN_CONFIG, Stage

WRITES = 75
"""More writes than any journey here makes."""


async def advance(stage: Stage) -> None:
    stage.want(release="2026.1")
    await stage.until(State.IN_SYNC)


async def fail_the_canary(stage: Stage) -> None:
    stage.want(release="2026.1", config=BROKEN_CONFIG)
    await stage.until(State.HALTED)


async def settled() -> Stage:
    stage = Stage()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    return stage


async def through(stage: Stage, journey: Callable[[Stage], Awaitable[None]], fault: Fault, at_write: int) -> bool:
    """Kill the daemon at that write of the journey, start another, and let it come to rest."""
    stage.journal.fail(fault, stage.journal.writes + at_write)
    try:
        await journey(stage)
    except Killed:
        await stage.kill()
        stage.start()
        await stage.until(State.IN_SYNC, State.HALTED)
        return True
    return False


@pytest.mark.parametrize("fault", [Fault.KILLED_BEFORE, Fault.KILLED_AFTER])
@pytest.mark.parametrize("journey", [advance, fail_the_canary])
async def test_a_kill_at_any_write_changes_nothing_of_what_is_done(journey, fault):
    undisturbed = await settled()
    await journey(undisturbed)

    for at_write in range(1, WRITES):
        stage = await settled()
        killed = await through(stage, journey, fault, at_write)

        assert sorted(stage.fleet.ledger) == sorted(undisturbed.fleet.ledger), at_write
        assert stage.running() == undisturbed.running(), at_write
        assert stage.fleet.data == undisturbed.fleet.data, at_write
        assert len(stage.memory.history.halts) == len(undisturbed.memory.history.halts), at_write
        if not killed:
            return
    raise AssertionError("the journey writes more than WRITES entries: raise it")


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.UNSURE])
async def test_a_journal_that_cannot_be_written_starts_nothing(fault):
    stage = await settled()
    stage.journal.fail(fault, stage.journal.writes + 2)
    stage.want(release="2026.1")

    with pytest.raises(Exception, match="disk"):
        await stage.until(State.IN_SYNC)

    begun = [entry for entry in stage.journal.read() if entry.kind == "intent"]
    assert len(stage.fleet.ledger) <= len(begun)
