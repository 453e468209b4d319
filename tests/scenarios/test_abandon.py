"""A leg that can go neither on nor back: a person gives it up, and the daemon looks anew."""

from __future__ import annotations

from dataclasses import replace

from reconciler.domain.desired import Quarantine
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from tests.fakes.hosts import Faults
from tests.scenarios.laws import Case, breaches
from tests.scenarios.stage import Stage
from tests.scenarios.test_quarantine import FAR
from tests.support.sample import desired

MIGRATION = "keystone.migrate.schema-sync.main.2023.1@ks1"


async def bootstrap_lost() -> Stage:
    """Lose the bootstrap host for good while it migrates, and quarantine it."""
    stage = Stage(Faults(held={MIGRATION}))
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    stage.want(release="2026.1")
    while not any(key.step == MIGRATION for host in stage.fleet.hosts.hosts.values() for key in host.waiting):
        await stage.step()
    stage.fleet.hosts.cut("ks1")
    stage.fleet.machines["ks1"].running = ""
    return stage


async def said(stage: Stage, *words: str) -> str:
    asked = stage.journal.ask(*words)
    for _ in range(5):
        await stage.step()
    return stage.journal.answer_to(asked) or ""


async def test_a_run_that_is_lost_is_given_up_and_the_fleet_is_seen_as_people_left_it():
    stage = await bootstrap_lost()
    (run,) = [each for each in stage.memory.history.runs if not each.ended]
    refused = await said(stage, "abandon", run.id, "ada", "ks1 burnt down")
    assert refused.startswith("refused: sync the schema of main with 2023.1's code still runs on ks1")

    alone = Quarantine(host="ks1", by="ada", reason="it burnt down", until=FAR)
    lost = replace(desired(release="yoga", bootstrap="ks2"), quarantined=(alone,))
    stage.commit(lost)
    for _ in range(10):
        await stage.step()
    assert (await said(stage, "abandon", run.id, "ada", "ks1 burnt down")).startswith(f"run {run.id} is abandoned")

    for host in ("ks2", "ks3"):  # people restored the database by hand, and started what was stopped
        machine = stage.fleet.machines[host]
        machine.held_down, machine.running, machine.started_at = False, machine.link, stage.clock.now()
    await stage.until(State.IN_SYNC)
    assert breaches(Case(stage.store_entries(), stage.fleet.deeds, stage.wanted)) == []


async def test_nothing_leads_back_over_a_run_that_was_given_up():
    stage = Stage()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    stage.want(release="2023.1")
    await stage.until(State.IN_SYNC)
    stage.fleet.dead_apis = {"ks3"}
    stage.want(release="2026.1")
    await stage.until(State.HALTED)
    (run,) = [each for each in stage.memory.history.runs if not each.ended]
    assert (await said(stage, "abandon", run.id, "ada", "done by hand")).startswith(f"run {run.id} is abandoned")
    assert stage.memory.history.halts == ()

    stage.want(release="yoga")
    verdict = await stage.until(State.BLOCKED)
    assert verdict.reason == Reason.NO_WAY_BACK


async def test_only_an_open_run_can_be_given_up():
    stage = Stage()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    assert await said(stage, "abandon", "nothing-1", "ada", "why not") == "refused: no open run 'nothing-1'; open: none"
