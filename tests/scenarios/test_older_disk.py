"""A host comes back with an older image of its disk in the middle of a schema step: what it did is not done again."""

from __future__ import annotations

from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from tests.fakes.hosts import Faults
from tests.scenarios.stage import Stage
from tests.scenarios.test_journeys import at_yoga

STEP = "keystone.migrate.schema-sync.main.2023.1@ks1"


async def migrating() -> Stage:
    stage = await at_yoga(Faults(held={STEP}))
    stage.want(release="2026.1")
    while not stage.fleet.hosts.hosts["ks1"].waiting:
        await stage.step()
    return stage


async def test_a_schema_step_of_which_its_host_has_forgotten_all_is_lost():
    stage = await migrating()
    await stage.kill()
    machine = stage.fleet.hosts.hosts["ks1"]
    machine.steps.clear()
    machine.waiting.clear()
    stage.start()
    verdict = await stage.until(State.HALTED)
    assert verdict.reason == Reason.STEP_LOST
    assert "ks1 has forgotten this run" in verdict.text
    assert STEP not in stage.fleet.ledger


async def test_one_that_never_arrived_is_started_by_the_next_daemon():
    stage = await migrating()
    await stage.kill()
    machine = stage.fleet.hosts.hosts["ks1"]
    for key in [key for key in machine.steps if key.step == STEP]:
        del machine.steps[key]
    machine.waiting.clear()
    stage.fleet.hosts.faults.held.clear()
    stage.start()
    await stage.until(State.IN_SYNC)
    assert stage.fleet.ledger.count(STEP) == 1
