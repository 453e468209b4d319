"""What a halt stops, by the real pass on a fleet in memory: one host, its group, or the whole fleet."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from reconciler.domain.desired import Accept, Desired, HaltPolicy
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State, Verdict
from tests.scenarios.stage import BROKEN_CONFIG, PASSES, Stage, fleet_of, second
from tests.support.sample import KEYSTONE, desired

ONE_HOST = {"keystone": HaltPolicy(scope="host", hosts=1)}


def lenient(policy: HaltPolicy = ONE_HOST["keystone"]) -> Desired:
    return replace(desired(release="2026.1"), halts={"keystone": policy})


async def arrived(stage: Stage) -> Stage:
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    return stage


async def test_one_host_that_fails_is_set_aside_and_the_waves_go_on_but_the_leg_does_not_end():
    stage = await arrived(Stage())
    stage.fleet.dead_apis = {"ks2"}
    stage.commit(lenient())

    held = await stage.until(State.HALTED)
    while stage.memory.executor.tasks or stage.running()["ks3"] != "2026.1":
        await stage.step()
    held = await stage.until(State.HALTED)

    assert held.reason == Reason.VERIFY_FAILED
    assert "ks2" in held.text
    assert stage.running()["ks3"] == "2026.1"
    run = stage.memory.history.open_run("keystone")
    assert run is not None
    assert not any(".finish." in step.id and run.attempted(step.id) for step in run.steps)

    stage.fleet.dead_apis = set()
    stage.journal.ask("retry", "keystone", "ada", "mended ks2")
    await stage.until(State.IN_SYNC)


async def test_a_second_host_that_fails_is_more_than_policy_lets_fail():
    stage = await arrived(Stage())
    stage.fleet.dead_apis = {"ks2", "ks3"}
    stage.commit(lenient())
    for _ in range(PASSES // 4):
        await stage.step()

    run = stage.memory.history.open_run("keystone")
    assert run is not None
    assert {halt.step.rpartition("@")[2] for halt in stage.memory.history.halts} == {"ks2", "ks3"}
    assert run.back is None


async def test_the_canary_is_never_set_aside():
    stage = await arrived(Stage())
    stage.commit(replace(desired(release="2026.1", config=BROKEN_CONFIG), halts=ONE_HOST))
    verdict = await stage.until(State.HALTED)
    assert verdict.reason == Reason.CANARY_FAILED
    assert "2026.1" not in stage.running().values()


async def test_a_group_halts_alone_without_a_policy():
    stage = await arrived(Stage())
    stage.fleet.dead_apis = {"ks2"}
    stage.want(release="2026.1")
    await stage.until(State.HALTED)
    for _ in range(20):
        await stage.step()
    assert stage.running()["ks3"] != "2026.1"


def two(accepts: tuple[Accept, ...] = (), **releases: str) -> Desired:
    """Want two groups, of which a halt of the first stops the fleet."""
    services = [replace(each, release=releases.get(each.name, "yoga")) for each in (KEYSTONE, second())]
    found = fleet_of(services, {"keystone": ("keystone",), "identity": ("identity",)})
    return replace(found, halts={"keystone": HaltPolicy(scope="fleet")}, accepts=accepts)


def broken(wanted: Desired) -> Desired:
    """Let Keystone's canary not come up."""
    keystone = replace(wanted.services["keystone"], config=BROKEN_CONFIG)
    return replace(wanted, services={**wanted.services, "keystone": keystone})


async def verdicts(stage: Stage, passes: int = 60) -> dict[str, Verdict]:
    for _ in range(passes):
        report = await stage.pass_once()
        await stage.step()
    return {each.verdict.group: each.verdict for each in report.decisions}


async def test_a_halt_that_stops_the_fleet_lets_no_other_group_begin_until_it_is_cleared():
    stage = Stage(services={"keystone": KEYSTONE, "identity": second()})
    stage.commit(two())
    await verdicts(stage, 5)
    stage.commit(broken(two(keystone="2026.1")))
    await verdicts(stage)
    (halt,) = stage.memory.history.halts_of("keystone")
    stage.commit(broken(two(keystone="2026.1", identity="2026.1")))

    found = (await verdicts(stage, 20))["identity"]
    assert (found.state, found.reason) == (State.WAITING, Reason.FLEET_HALTED)
    assert halt.id in found.text

    stage.journal.ask("clear-halt", halt.id, "ada", "looked at it")
    found = (await verdicts(stage))["identity"]
    assert found.state is State.IN_SYNC


async def test_somebody_may_take_the_risk_to_go_on_while_the_fleet_is_halted():
    stage = Stage(services={"keystone": KEYSTONE, "identity": second()})
    stage.commit(two())
    await verdicts(stage, 5)
    stage.commit(broken(two(keystone="2026.1")))
    await verdicts(stage)
    stage.fleet.dead_apis = set()
    taken = Accept(what="halts:identity", by="ada", reason="it has nothing to do with it", until=date(2999, 1, 1))
    stage.commit(broken(two((taken,), keystone="2026.1", identity="2026.1")))

    found = await verdicts(stage)
    assert found["identity"].state is State.IN_SYNC
    assert found["keystone"].state is State.HALTED


async def test_a_commit_that_takes_a_group_away_ends_its_halts():
    stage = Stage(services={"keystone": KEYSTONE, "identity": second()})
    stage.commit(two())
    await verdicts(stage, 5)
    stage.commit(broken(two(keystone="2026.1")))
    await verdicts(stage)
    assert stage.memory.history.halts_of("keystone")
    stage.fleet.dead_apis = set()
    together = two(identity="2026.1", keystone="2026.1")
    stage.commit(replace(together, groups={"control": ("keystone", "identity")}))

    found = await verdicts(stage, 90)
    assert set(found) == {"control"}
    assert found["control"].state is State.IN_SYNC, found
    assert stage.memory.history.halts == ()
