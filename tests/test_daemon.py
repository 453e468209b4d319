"""The loop around the passes."""

from __future__ import annotations

import asyncio

import pytest

from reconciler.adapters.failpoints import Failpoint
from reconciler.daemon import Daemon
from reconciler.domain.reasons import Reason
from reconciler.domain.segment import Cut, Keep
from reconciler.domain.verdict import Report, State
from reconciler.errors import JournalError
from tests.fakes.journal import Fault
from tests.scenarios.stage import Stage


async def test_the_first_report_of_a_new_daemon_knows_what_is_wanted_and_each_turn_is_told():
    stage, reports = Stage(), []
    commit = stage.want()

    async def publish(report: Report) -> None:
        reports.append(report)
        daemon.stop()

    beats: list[str] = []
    daemon = Daemon(stage.memory, publish, beat=lambda: beats.append("it lives"))
    await asyncio.wait_for(daemon.run(), 30)
    assert (reports[0].revision, beats) == (commit, ["it lives"])


async def test_a_pass_that_fails_by_a_defect_is_told_and_does_not_end_the_loop():
    stage, told = Stage(), []
    stage.want()

    async def publish(_: Report) -> None:
        if told:
            daemon.stop()
            return
        daemon.woken.set()
        raise AssertionError("a defect")

    daemon = Daemon(stage.memory, publish, defect=told.append)
    await asyncio.wait_for(daemon.run(), 30)
    assert [str(each) for each in told] == ["a defect"]


async def test_a_sweep_that_fails_by_a_defect_is_told():
    stage, told = Stage(), []
    stage.want()
    looks = stage.fleet.hosts.looks
    stage.fleet.hosts.looks = lambda host, questions: looks(host, questions) if questions else {}[host.name]

    def defect(error: Exception) -> None:
        told.append(error)
        daemon.stop()

    async def publish(_: Report) -> None:
        return

    daemon = Daemon(stage.memory, publish, defect=defect)
    await asyncio.wait_for(daemon.run(), 30)
    assert [type(each) for each in told] == [KeyError]


@pytest.mark.parametrize("reason", [Reason.JOURNAL_DISK_FAILED, Reason.JOURNAL_LEASE_LOST])
async def test_a_journal_that_will_take_nothing_any_more_ends_the_loop(reason: Reason):
    stage = Stage()
    stage.want()

    async def publish(_: Report) -> None:
        raise JournalError("never again", reason=str(reason))

    with pytest.raises(JournalError, match="never again"):
        await asyncio.wait_for(Daemon(stage.memory, publish).run(), 30)


async def test_a_pass_that_cannot_write_its_journal_is_told():
    stage, told = Stage(), []
    stage.want()
    stage.journal.fail(Fault.REFUSED, stage.journal.writes + 1)

    async def publish(_: Report) -> None:
        daemon.stop()

    def unwritten(error: JournalError) -> None:
        told.append(error.reason)
        daemon.woken.set()

    daemon = Daemon(stage.memory, publish, unwritten=unwritten)
    await asyncio.wait_for(daemon.run(), 30)
    assert told == [Reason.JOURNAL_UNWRITABLE]


async def test_an_error_of_the_daemons_own_machine_while_it_fetches_is_a_problem_of_the_source_and_passes():
    stage, reports = Stage(), []
    commit = stage.want()
    failing = Failpoint("fetch.after", action="eio")
    stage.memory.ports = failing.around(stage.memory.ports)

    async def publish(report: Report) -> None:
        reports.append(report)
        if report.revision:
            daemon.stop()

    daemon = Daemon(stage.memory, publish, poll_s=0.01)
    await asyncio.wait_for(daemon.run(), 30)
    assert reports[0].source.problem == Reason.SOURCE_UNREACHABLE
    assert "Input/output error" in reports[0].source.text
    assert (reports[-1].revision, reports[-1].source.problem) == (commit, "")


async def test_what_cannot_be_sealed_holds_up_nothing():
    stage, reports = Stage(), []
    stage.memory.keep = Keep(runs=0, days=0, at_once=1)
    writes: list[str] = []

    def fail(_: Cut) -> None:
        writes.append("no")
        raise JournalError("the disk is full", reason=Reason.JOURNAL_UNWRITABLE)

    async def publish(report: Report) -> None:
        reports.append(report)

    for region in ("first", "second", "third"):
        stage.want(vars={"region": region})
        await stage.until(State.IN_SYNC)
    stage.journal.seal = fail
    daemon = Daemon(stage.memory, publish)
    await daemon._pass()
    await daemon._pass()

    assert len(reports) == 2
    assert writes == ["no"]  # tried again after the next run
