"""Journeys of two components of which one follows the other, by the real pass on a fleet in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.catalog import load_catalog
from reconciler.domain.desired import Desired, Service
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from tests.fakes.clock import settle
from tests.scenarios.stage import PASSES, Stage, fleet_of, second
from tests.support.sample import KEYSTONE

FACT = {"reason": "so it is", "source": "a test", "verified": "read"}
LAG = {"id": "lag", "kind": "skew", "skew": {"service": "keystone", "oldest": {"2023.1": "yoga", "2024.1": "2023.1"}}}
AGENT = {"service": "agent", "series": "openstack", "releases_of": {"service": "keystone"}, "rules": [LAG | FACT]}


def agent(**changes: Any) -> Service:
    """A service without databases on the same hosts, of the same packages."""
    return replace(second("agent"), component="agent", databases={}, verify=(), smoke=(), **changes)


def wanted(release: str, follower: str = "", **changes: Any) -> Desired:
    common = {"procedure": "downtime", "policy": "supported"}
    keystone = replace(KEYSTONE, release=release, **common)
    return fleet_of([keystone, agent(release=follower or release, **common, **changes)], {})


def stage() -> Stage:
    made = Stage(services={"keystone": KEYSTONE, "agent": agent()})
    made.catalog = load_catalog([AGENT])
    return made


async def until(made: Stage, **states: State) -> dict[str, str]:
    """Pass until each group stands so; return the reasons."""
    for _ in range(PASSES):
        report = await made.pass_once()
        verdicts = {each.verdict.group: each.verdict for each in report.decisions}
        stand = {group: verdict.state for group, verdict in verdicts.items()}
        if not made.memory.executor.tasks and all(stand.get(group) is state for group, state in states.items()):
            return {group: verdict.reason for group, verdict in verdicts.items()}
        await settle()
        await made.clock.advance(1.0)
    raise AssertionError(f"stuck: {verdicts}")


async def test_legs_of_two_components_take_turns_up_to_the_goal():
    made = stage()
    made.commit(wanted("2024.1"))

    await until(made, keystone=State.IN_SYNC, agent=State.IN_SYNC)

    starts = [step for step in made.fleet.ledger if step.endswith("roll.start@ks1") or "schema-sync" in step]
    assert starts == [
        "keystone.migrate.schema-sync.main.2023.1@ks1",
        "keystone.roll.start@ks1",
        "agent.roll.start@ks1",
        "keystone.migrate.schema-sync.main.2024.1@ks1",
        "keystone.roll.start@ks1",
        "agent.roll.start@ks1",
    ]


async def test_a_control_waits_for_agents_that_stay_and_goes_on_when_they_may_follow():
    made = stage()
    made.commit(wanted("2024.1", follower="yoga"))
    reasons = await until(made, keystone=State.BLOCKED)
    assert reasons["keystone"] == Reason.DEPENDENCY_UNMET
    assert made.fleet.ledger == []

    made.commit(wanted("2024.1"))
    await until(made, keystone=State.IN_SYNC, agent=State.IN_SYNC)


async def test_what_others_move_is_waited_for_and_then_followed():
    made = stage()
    late = wanted("2023.1")
    others = replace(late.services["keystone"], moved_by="others")
    made.commit(replace(late, services=late.services | {"keystone": others}))
    reasons = await until(made, keystone=State.WAITING, agent=State.BLOCKED)
    assert reasons == {"keystone": Reason.MOVED_BY_OTHERS, "agent": Reason.DEPENDENCY_OF_OTHERS}

    made.fleet.data.release = "2023.1"  # others have moved it: its schema, and its code
    for machine in made.fleet.machines.values():
        machine.link = "/srv/keystone/2023.1"
        machine.complete.add(machine.link)
        machine.ran = machine.running = f"{machine.link} {machine.stamp}"
    await until(made, keystone=State.IN_SYNC, agent=State.IN_SYNC)
    assert {step.partition(".")[0] for step in made.fleet.ledger} == {"agent"}
