"""What is known to be a secret, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.domain.desired import Desired, SecretRef
from reconciler.domain.outcome import Done, Exited
from reconciler.domain.revision import Revision, SourceState
from reconciler.domain.verdict import Ready
from reconciler.execution.executor import Executor
from reconciler.execution.intake import take_revision
from reconciler.execution.memory import Memory, Read
from reconciler.planning.serial import outcome_from_json
from reconciler.ports import Ports
from tests.execution.test_carry import SECRET, STEP, ports
from tests.fakes.clock import settle
from tests.fakes.hosts import FakeHosts
from tests.support.sample import DESIRED, KEYSTONE

REF = SecretRef("env", "DB_PASSWORD")
GONE = SecretRef("env", "GONE")
NAMED = replace(KEYSTONE, secrets={"db": REF, "gone": GONE})
OF_DATABASE = replace(KEYSTONE, databases={"main": replace(KEYSTONE.databases["main"], password=REF)})


def memory_of(world: Ports, desired: Desired) -> Memory:
    revision = Revision("c1", "ada", "", datetime(2026, 1, 1, tzinfo=UTC), {})
    memory = Memory(world, lambda read: Read(read.commit, desired, None), Executor(world))
    memory.source = SourceState(revision, head="c1")
    return memory


@pytest.mark.parametrize("service", [NAMED, OF_DATABASE], ids=["of a service", "of a database"])
async def test_a_secret_is_known_as_soon_as_the_desired_state_names_it(service):
    world = ports(FakeHosts())
    await take_revision(memory_of(world, replace(DESIRED, services={"keystone": service})))
    assert SECRET not in world.secrets.redact(f"Access denied: {SECRET}")


async def test_nothing_that_a_step_leaves_behind_holds_a_secret():
    world = ports(FakeHosts(lambda _host, _order: Exited(0, f"hello {SECRET}", {"url": f"mysql://{SECRET}@db"})))
    world.secrets.resolve(REF)
    executor = Executor(world)
    executor.begin([Ready(run="r1", step=STEP, attempt=1)], "keystone", DESIRED, may_start=True)
    await settle()
    (draft,) = executor.settle({})
    assert outcome_from_json(draft.body) == Done({"url": "mysql://[redacted]@db"}, "hello [redacted]")
