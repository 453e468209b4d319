"""A roll takes no more hosts out of work than can be spared, by the real pass on a fleet in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from reconciler.domain.desired import Desired, Quarantine, Waves
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from tests.fakes.hosts import Faults
from tests.scenarios.stage import Stage
from tests.support.sample import desired

ROLLING = {"procedure": "zero-downtime", "policy": "supported", "waves": Waves(sizes=(2,))}


def limited(release: str, limit: object = 1, **changes: object) -> Desired:
    return desired(release=release, max_unavailable=limit, **ROLLING, **changes)


async def at_yoga(faults: Faults | None = None) -> Stage:
    stage = Stage(faults)
    stage.commit(limited("yoga"))
    await stage.until(State.IN_SYNC)
    return stage


def most_out(stage: Stage) -> int:
    """Replay which hosts were stopped and started, and return how many were out at once."""
    out: set[str] = set()
    most = 0
    for step in stage.fleet.ledger:
        host = step.rpartition("@")[2]
        if ".roll.stop@" in step:
            out.add(host)
        elif ".roll.start@" in step:
            out.discard(host)
        most = max(most, len(out))
    return most


async def test_a_wave_of_two_goes_one_by_one_where_one_can_be_spared():
    stage = await at_yoga()
    stage.commit(limited("2023.1"))
    await stage.until(State.IN_SYNC)
    assert most_out(stage) == 1

    stage = await at_yoga()
    stage.commit(limited("2023.1", None))
    await stage.until(State.IN_SYNC)
    assert most_out(stage) == 2


async def test_a_host_in_quarantine_counts_and_the_roll_waits_with_its_name():
    stage = await at_yoga()
    sick = Quarantine(host="ks3", by="ada", reason="its disk is dying", until=date(2999, 1, 1))
    stage.fleet.machines["ks3"].running = ""
    stage.commit(replace(limited("2023.1", "quorum"), quarantined=(sick,)))
    verdict = await stage.until(State.WAITING, reason=Reason.UNAVAILABLE)
    assert verdict.text == "keystone: 1 hosts are out of work (ks3), and 1 may be"
    assert not any(".roll.stop@" in step for step in stage.fleet.ledger)

    stage.commit(limited("2023.1", "quorum"))
    await stage.until(State.IN_SYNC)


async def test_a_host_that_falls_silent_in_mid_roll_counts():
    step = "keystone.roll.start@ks1"
    stage = await at_yoga(Faults(held={step}))
    stage.commit(limited("2023.1"))
    while "ks1" not in stage.fleet.hosts.hosts or not stage.fleet.hosts.hosts["ks1"].waiting:
        await stage.step()
    stage.fleet.hosts.cut("ks3")
    await stage.clock.advance(120)
    for _ in range(5):
        await stage.step()
    stage.fleet.hosts.release(step)
    for _ in range(30):
        await stage.step()
    assert not any(".roll.stop@ks2" in each for each in stage.fleet.ledger)

    stage.fleet.hosts.mend("ks3")
    await stage.until(State.IN_SYNC)
