"""The loop around the passes."""

from __future__ import annotations

import asyncio

from reconciler.daemon import Daemon
from reconciler.domain.verdict import Report
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
    stage.fleet.hosts.looks = lambda host, questions: {}[host.name]

    def defect(error: Exception) -> None:
        told.append(error)
        daemon.stop()

    async def publish(_: Report) -> None:
        return

    daemon = Daemon(stage.memory, publish, defect=defect)
    await asyncio.wait_for(daemon.run(), 30)
    assert [type(each) for each in told] == [KeyError]
