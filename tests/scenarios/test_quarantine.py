"""A host in quarantine is left alone, by the real pass on a fleet in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from reconciler.domain.desired import Desired, Quarantine
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from tests.fakes.hosts import Faults
from tests.scenarios.stage import BROKEN_CONFIG, Stage
from tests.support.sample import desired

FAR = date(2999, 1, 1)


def without(*hosts: str, until: date = FAR, **changes: object) -> Desired:
    away = tuple(Quarantine(host=host, by="ada", reason="its disk is dying", until=until) for host in hosts)
    return replace(desired(**changes), quarantined=away)


async def at_yoga(faults: Faults | None = None) -> Stage:
    stage = Stage(faults)
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    return stage


async def test_a_dead_host_in_quarantine_holds_up_nobody_not_even_a_schema_step():
    stage = await at_yoga()
    stage.fleet.hosts.cut("ks3")
    stage.fleet.machines["ks3"].running = ""  # it is off
    stage.want(release="2026.1")
    await stage.until(State.BLOCKED, reason=Reason.HOST_UNREACHABLE)

    stage.commit(without("ks3", release="2026.1"))
    await stage.until(State.IN_SYNC)
    assert stage.fleet.data.release == "2026.1"
    assert stage.running() == {"ks1": "2026.1", "ks2": "2026.1", "ks3": ""}
    assert not any(step.endswith("@ks3") for step in stage.fleet.ledger)


async def test_a_host_that_dies_before_the_first_hop_is_left_behind_and_the_leg_goes_on():
    step = "keystone.quiesce.stop@ks3"
    stage = await at_yoga(Faults(held={step}))
    stage.want(release="2026.1")
    while "ks3" not in stage.fleet.hosts.hosts or not stage.fleet.hosts.hosts["ks3"].waiting:
        await stage.step()
    stage.fleet.hosts.cut("ks3")
    stage.fleet.machines["ks3"].running = ""  # it is off
    for _ in range(5):
        await stage.step()
    assert stage.fleet.data.release == "yoga"

    stage.commit(without("ks3", release="2026.1"))
    await stage.until(State.IN_SYNC)
    assert stage.fleet.data.release == "2026.1"
    assert {name: stage.running()[name] for name in ("ks1", "ks2")} == {"ks1": "2026.1", "ks2": "2026.1"}


async def test_a_host_that_still_serves_keeps_the_leg_from_its_pause_until_it_is_stopped():
    stage = await at_yoga()
    stage.commit(without("ks3", release="2026.1"))
    blocked = await stage.until(State.WAITING, reason=Reason.QUARANTINED_SERVING)
    assert blocked.text == "ks3 is in quarantine and still runs keystone: unit keystone"
    assert {step.split(".")[1] for step in stage.fleet.ledger} == {"preflight", "prepare"}

    stage.fleet.machines["ks3"].running = ""
    await stage.until(State.IN_SYNC)
    assert stage.running() == {"ks1": "2026.1", "ks2": "2026.1", "ks3": ""}


async def comes_up_beside(stage: Stage, step: str) -> None:
    """Let somebody switch a quarantined host on while a step is held, and that go on: the leg waits."""
    stage.fleet.machines["ks3"].running = "/srv/keystone/yoga"
    stage.fleet.hosts.release(step)
    held = await stage.until(State.WAITING, reason=Reason.QUARANTINED_SERVING)
    assert "ks3" in held.text


async def test_a_host_that_comes_up_while_the_others_are_stopped_keeps_the_schema_as_it_is():
    backup = "keystone.backup.backup.main@ks1"
    stage = await at_yoga(Faults(held={backup}))
    stage.fleet.machines["ks3"].running = ""
    stage.commit(without("ks3", release="2026.1"))
    while "ks1" not in stage.fleet.hosts.hosts or not stage.fleet.hosts.hosts["ks1"].waiting:
        await stage.step()
    for _ in range(5):
        await stage.step()
    await comes_up_beside(stage, backup)
    assert stage.fleet.data.release == "yoga"

    stage.fleet.machines["ks3"].running = ""
    await stage.until(State.IN_SYNC)
    assert stage.fleet.data.release == "2026.1"


async def test_a_revert_waits_for_a_host_that_still_serves_before_anything_is_stopped():
    stage = await at_yoga()
    stage.fleet.machines["ks3"].running = ""
    stage.commit(without("ks3", release="2026.1"))
    await stage.until(State.IN_SYNC)
    stage.fleet.machines["ks3"].running = "/srv/keystone/yoga"  # somebody has switched it on
    done = len(stage.fleet.ledger)

    stage.commit(without("ks3", release="yoga"))
    held = await stage.until(State.WAITING, reason=Reason.QUARANTINED_SERVING)
    assert held.text == "ks3 is in quarantine and still runs keystone: unit keystone"
    assert "on ks3" in held.hint
    assert {step.partition(".")[0] for step in stage.fleet.ledger[done:]} == {"preflight"}

    stage.fleet.machines["ks3"].running = ""
    await stage.until(State.IN_SYNC)
    assert stage.fleet.data.release == "yoga"


async def test_a_host_that_comes_up_while_a_leg_is_backed_out_keeps_the_databases_from_being_put_back():
    stop = "back.keystone.roll.start@ks1"
    stage = await at_yoga(Faults(held={stop}))
    stage.fleet.machines["ks3"].running = ""
    stage.commit(without("ks3", release="2026.1", config=BROKEN_CONFIG))
    while stop not in {key.step for host in stage.fleet.hosts.hosts.values() for key in host.waiting}:
        await stage.step()
    await comes_up_beside(stage, stop)
    assert stage.fleet.data.release == "2026.1"

    stage.fleet.machines["ks3"].running = ""
    await stage.until(State.HALTED)
    while stage.memory.history.open_run("keystone"):
        await stage.step()
    assert stage.fleet.data.release == "yoga"
    assert stage.running() == {"ks1": "yoga", "ks2": "yoga", "ks3": ""}


async def test_a_host_that_comes_out_of_quarantine_follows():
    stage = await at_yoga()
    until = stage.clock.now().date()
    stage.fleet.machines["ks3"].running = ""
    stage.commit(without("ks3", until=until, release="2026.1"))
    await stage.until(State.IN_SYNC)
    assert stage.fleet.machines["ks3"].link.endswith("yoga")

    await stage.clock.advance(timedelta(days=1).total_seconds())
    for _ in range(120):
        await stage.step()
    await stage.until(State.IN_SYNC)
    assert stage.running()["ks3"] == "2026.1"


async def test_a_contract_waits_for_a_host_in_quarantine():
    rolling = {"procedure": "zero-downtime", "policy": "supported"}
    stage = Stage()
    stage.want(release="yoga", **rolling)
    await stage.until(State.IN_SYNC)
    stage.commit(without("ks3", release="2023.1", **rolling))
    blocked = await stage.until(State.BLOCKED)

    assert blocked.reason == Reason.OVERRIDE_IN_THE_WAY
    assert "ks3" in blocked.text
    stage.want(release="2023.1", **rolling)
    await stage.until(State.IN_SYNC)
    assert stage.running() == {"ks1": "2023.1", "ks2": "2023.1", "ks3": "2023.1"}
