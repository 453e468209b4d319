"""Before a contract, newer inputs are heard: it would break what they may want."""

from __future__ import annotations

from dataclasses import replace

from reconciler.domain.desired import Desired
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from tests.fakes.hosts import Faults
from tests.scenarios.laws import Case, breaches
from tests.scenarios.stage import Stage, fleet_of, second
from tests.scenarios.test_journeys import ROLLING, rolling
from tests.support.sample import KEYSTONE

HELD = "keystone.contract.schema-contract.main.2023.1@ks1"


def both(release: str, **overrides: str) -> Desired:
    changes = {"release": release, "procedure": "zero-downtime", "policy": "supported"}
    services = [replace(KEYSTONE, **changes), replace(second(), **changes, overrides=overrides)]
    return fleet_of(services, {"control": ("keystone", "identity")})


async def test_an_override_that_ends_in_mid_leg_lets_no_contract_break_its_host():
    stage = Stage(Faults(held={HELD}), {"keystone": KEYSTONE, "identity": second()})
    stage.commit(both("yoga"))
    await stage.until(State.IN_SYNC)
    stage.commit(both("2023.1", ks1="yoga"))
    while not any(key.step == HELD for host in stage.fleet.hosts.hosts.values() for key in host.waiting):
        await stage.step()
    for _ in range(20):
        await stage.step()

    stage.commit(both("2023.1"))
    for _ in range(10):
        await stage.step()
    assert not any(entry.step.startswith("identity.contract") for entry in stage.store_entries())

    stage.fleet.hosts.faults.held.clear()
    stage.fleet.hosts.release()
    await stage.until(State.IN_SYNC)
    assert set(stage.running().values()) == {"2023.1"}
    assert breaches(Case(entries=stage.store_entries(), deeds=stage.fleet.deeds, wanted=stage.wanted)) == []


async def moved_all() -> Stage:
    """Bring a leg to where the last host is started on its release; the contract comes next."""
    stage = await rolling()
    stage.want(release="2023.1", **ROLLING)
    while "keystone.roll.start@ks3" not in stage.fleet.ledger:
        await stage.step()
    return stage


def put_back(stage: Stage, host: str, release: str) -> None:
    """Let a host be what it was in an older image of its disk."""
    machine = stage.fleet.machines[host]
    machine.link = machine.running = f"/srv/keystone/{release}"
    machine.changed_at = machine.started_at = stage.clock.now()


def contracted(stage: Stage) -> bool:
    return any("contract" in step for step in stage.fleet.ledger)


async def test_no_contract_breaks_a_host_that_came_back_with_an_older_disk():
    stage = await moved_all()
    put_back(stage, "ks2", "yoga")
    verdict = await stage.until(State.BLOCKED)
    assert verdict.reason == Reason.HOST_FELL_BACK
    assert verdict.text == "ks2 was moved to 2023.1, and keystone is at yoga there again"
    assert not contracted(stage)

    put_back(stage, "ks2", "2023.1")
    await stage.until(State.IN_SYNC)
    assert contracted(stage)
    assert stage.fleet.data.expanded == ""
