"""The loop around the passes."""

from __future__ import annotations

import asyncio

from reconciler.daemon import Daemon
from reconciler.domain.verdict import Report
from tests.scenarios.stage import Stage


async def test_the_first_report_of_a_new_daemon_knows_what_is_wanted():
    stage, reports = Stage(), []
    commit = stage.want()

    async def publish(report: Report) -> None:
        reports.append(report)
        daemon.stop()

    daemon = Daemon(stage.memory, publish)
    await asyncio.wait_for(daemon.run(), 30)
    assert reports[0].revision == commit
