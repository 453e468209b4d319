"""Who may begin an effect."""

from __future__ import annotations

import pytest

from reconciler.domain.verdict import Ready
from reconciler.execution.executor import Executor
from tests.execution.test_carry import STEP, ports
from tests.fakes.clock import settle
from tests.fakes.hosts import FakeHosts
from tests.support.sample import DESIRED


@pytest.mark.parametrize(("epoch", "starts"), [(1, 1), (2, 0)])
async def test_a_step_whose_intent_a_newer_daemon_wrote_is_asked_after_and_never_started(epoch: int, starts: int):
    hosts = FakeHosts()
    executor = Executor(ports(hosts))  # under epoch 1
    ready = Ready(run="r1", step=STEP, attempt=1, adopt=True, epoch=epoch)

    executor.begin([ready], "keystone", DESIRED, may_start=True)
    await settle()
    await executor.stop()

    assert hosts.starts == starts
