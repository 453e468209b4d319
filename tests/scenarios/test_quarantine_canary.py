"""A canary that is put into quarantine proves nothing: the leg takes another (design.md, law 2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from reconciler.domain.desired import Canary, Desired, Quarantine, Waves
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from tests.fakes.hosts import Faults
from tests.scenarios.laws import Case, breaches
from tests.scenarios.stage import Stage
from tests.support.sample import desired

FAR = date(2999, 1, 1)
JOURNEYS = {
    "zero-downtime": {"release": "2023.1", "procedure": "zero-downtime", "policy": "supported"},
    "fast-forward": {"release": "2026.1"},
}
WAVES = {"waves": Waves(sizes=(2,)), "bootstrap": "ks3", "canary": Canary(soak_s=5)}
LONGEST = 40
"""Seconds, one pass each, after which the longest leg here is done."""


def without_the_canary(**changes: object) -> Desired:
    away = Quarantine(host="ks1", by="ada", reason="its disk is dying", until=FAR)
    return replace(desired(**changes), quarantined=(away,))


async def with_its_canary_away_after(seconds: int, changes: dict[str, object], *, suspended: bool) -> Stage:
    """Switch the canary off and put it into quarantine so long after the merge, and let all come to rest."""
    stage = Stage()
    stage.commit(desired(**{**changes, "release": "yoga"}))
    await stage.until(State.IN_SYNC)
    stage.commit(desired(**changes))
    for _ in range(seconds):
        await stage.step()
    if suspended:
        stage.commit(desired(**changes, suspended="a storm is coming"))
        for _ in range(10):
            await stage.step()
    switch_off(stage, "ks1")
    stage.commit(without_the_canary(**changes))
    await stage.until(State.IN_SYNC, State.BLOCKED)
    return stage


def switch_off(stage: Stage, host: str) -> None:
    stage.fleet.hosts.cut(host)
    stage.fleet.machines[host].running = ""


@pytest.mark.parametrize("suspended", [False, True], ids=["at once", "while suspended"])
@pytest.mark.parametrize("name", JOURNEYS)
async def test_nobody_moves_behind_a_canary_that_proved_nothing(name, suspended):
    changes = {**JOURNEYS[name], **WAVES}
    for seconds in range(1, LONGEST):
        stage = await with_its_canary_away_after(seconds, changes, suspended=suspended)
        case = Case(entries=stage.store_entries(), deeds=stage.fleet.deeds, wanted=stage.wanted)

        assert breaches(case) == [], seconds
        assert {stage.running()[host] for host in ("ks2", "ks3")} == {changes["release"]}, seconds


async def test_a_leg_does_not_go_on_without_the_schema_step_of_a_host_in_quarantine():
    stage = Stage(Faults(held={"keystone.migrate.schema-sync.main.2023.1@ks1"}))
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    stage.want(release="2026.1")
    while "ks1" not in stage.fleet.hosts.hosts or not stage.fleet.hosts.hosts["ks1"].waiting:
        await stage.step()

    switch_off(stage, "ks1")
    stage.commit(without_the_canary(release="2026.1", bootstrap="ks2"))
    blocked = await stage.until(State.BLOCKED)

    assert blocked.reason == Reason.QUARANTINED
    assert "ks1" in blocked.text
    assert "sync the schema of main with 2023.1's code" in blocked.text
    assert not any(stage.running().values())

    stage.want(release="yoga", bootstrap="ks2")
    for _ in range(30):
        await stage.step()
    assert stage.fleet.data.release == "yoga"
    assert breaches(Case(entries=stage.store_entries(), deeds=stage.fleet.deeds, wanted=stage.wanted)) == []


async def test_a_schema_step_of_a_quarantined_host_that_still_answers_is_waited_for():
    sync = "keystone.migrate.schema-expand.main.2023.1@ks1"
    stage = Stage(Faults(held={sync}))
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    stage.want(**JOURNEYS["zero-downtime"])
    while "ks1" not in stage.fleet.hosts.hosts or not stage.fleet.hosts.hosts["ks1"].waiting:
        await stage.step()

    stage.commit(without_the_canary(**JOURNEYS["zero-downtime"], bootstrap="ks2"))
    for _ in range(30):
        await stage.step()
    run = stage.memory.history.open_run("keystone")
    assert run is not None
    assert run.plan.services[0].goal == "2023.1"
    assert not any("migrate" in deed.key.step for deed in stage.fleet.deeds)

    stage.fleet.hosts.release(sync)
    await stage.until(State.BLOCKED, reason=Reason.OVERRIDE_IN_THE_WAY)  # ks1 would not survive the contract
    assert {stage.running()[host] for host in ("ks2", "ks3")} == {"2023.1"}
    assert breaches(Case(entries=stage.store_entries(), deeds=stage.fleet.deeds, wanted=stage.wanted)) == []
