"""Who may begin an effect."""

from __future__ import annotations

import pytest

from reconciler.domain.desired import Host
from reconciler.domain.verdict import Ready
from reconciler.execution.executor import RETRY_S, Executor
from reconciler.ports import HostStep, Order, Unreachable
from tests.execution.test_carry import STEP, ports
from tests.fakes.clock import VirtualClock, settle
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


async def test_an_error_of_the_daemons_own_machine_is_not_the_end_of_a_step():
    class Failing(FakeHosts):
        async def start(self, host: Host, order: Order) -> HostStep | Unreachable:
            await super().start(host, order)
            raise OSError(5, "Input/output error")

    hosts = Failing()
    executor = Executor(ports(hosts))
    ready = Ready(run="r1", step=STEP, attempt=1)
    executor.begin([ready], "keystone", DESIRED, may_start=True)
    await settle()
    clock = executor.ports.clock
    assert isinstance(clock, VirtualClock)
    (trouble,) = executor.troubles.values()
    assert "Input/output error" in trouble.text
    await clock.advance(RETRY_S)
    assert executor.settle({}) == ()
    assert hosts.executed(STEP.id) == 1
