"""A service that goes over several roles: each has a canary of its own."""

from __future__ import annotations

from dataclasses import replace

from reconciler.domain.desired import Canary, Desired, HaltPolicy, Waves
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from reconciler.planning.telling import waves_of
from tests.scenarios.laws import Case, breaches
from tests.scenarios.stage import Stage
from tests.support.sample import HOSTS, KEYSTONE, desired

ROLES = {"ks1": "control", "ks2": "compute", "ks3": "compute"}


def divided(release: str) -> Desired:
    """Want a release of a service on one controller and two compute hosts, of which any may fail by itself."""
    hosts = {name: replace(host, roles=frozenset({ROLES[name]})) for name, host in HOSTS.items()}
    service = replace(
        KEYSTONE, release=release, roles=("control", "compute"), waves=Waves(sizes=(5,)), canary=Canary(soak_s=3.0)
    )
    policy = {"keystone": HaltPolicy(scope="host", hosts=2)}
    return replace(desired(), hosts=hosts, services={"keystone": service}, halts=policy)


async def at_yoga() -> Stage:
    stage = Stage()
    stage.commit(divided("yoga"))
    await stage.until(State.IN_SYNC)
    return stage


async def test_every_role_is_led_by_a_canary_that_soaks():
    stage = await at_yoga()
    stage.commit(divided("2026.1"))
    await stage.until(State.IN_SYNC)

    plan = stage.memory.history.runs[-1].plan
    found = [(wave.number, wave.hosts, wave.leads) for wave in waves_of(plan)]
    assert found == [(0, ("ks1",), "control"), (1, ("ks2",), "compute"), (2, ("ks3",), "")]
    assert [step.host for step in plan.steps if step.kind == "soak"] == ["ks1", "ks2"]
    assert breaches(Case(stage.store_entries(), stage.fleet.deeds, stage.wanted)) == []


async def test_the_canary_of_a_later_role_is_no_host_that_others_may_do_without():
    stage = await at_yoga()
    stage.fleet.dead_apis = {"ks2"}
    stage.commit(divided("2026.1"))
    verdict = await stage.until(State.HALTED)
    for _ in range(20):
        await stage.step()

    assert verdict.reason == Reason.CANARY_FAILED
    assert (stage.running()["ks1"], stage.running()["ks2"]) == ("2026.1", "2026.1")  # it holds: the controller serves
    assert stage.running()["ks3"] != "2026.1"
