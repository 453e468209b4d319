"""A journal that is older than its fleet, or a new one: hosts know of runs that it never began."""

from __future__ import annotations

from copy import deepcopy

import pytest

from reconciler.domain.journal import Kind
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from tests.fakes.hosts import Faults
from tests.fakes.journal import Store
from tests.scenarios.stage import Stage
from tests.scenarios.test_abandon import said
from tests.scenarios.test_journeys import at_yoga


async def put_back(stage: Stage, store: Store) -> None:
    """Let a new daemon go on with a store of before."""
    await stage.kill()
    stage.store = deepcopy(store)
    stage.fleet.written = lambda: len(stage.store.lines)
    stage.start()


async def restored(store: Store | None = None) -> tuple[Stage, str]:
    """Advance a fleet, and forget that in the journal; return the run that nobody remembers."""
    stage = await at_yoga()
    kept = deepcopy(stage.store) if store is None else store
    stage.want(release="2026.1")
    await stage.until(State.IN_SYNC)
    (run,) = [run.id for run in stage.memory.history.runs]
    await put_back(stage, kept)
    stage.fleet.ledger.clear()
    stage.want(release="2026.1", vars={"region": "north"})
    return stage, run


@pytest.mark.parametrize("store", [None, Store.empty()], ids=["of yesterday", "new"])
async def test_nothing_is_begun_until_somebody_has_said_that_there_is_no_other(store: Store | None):
    stage, run = await restored(store)
    verdict = await stage.until(State.BLOCKED)
    assert verdict.reason == Reason.JOURNAL_BEHIND
    assert f"never heard of run {run}, whose steps are kept on ks1, ks2, ks3: it knows none" in verdict.text
    assert f"abandon {run}" in verdict.hint
    for _ in range(20):
        await stage.step()
    assert stage.fleet.ledger == []
    assert not any(entry.kind == Kind.PLAN_PINNED for entry in stage.journal.read())


async def test_a_daemon_goes_on_from_what_it_sees_under_numbers_that_no_host_knows():
    stage, run = await restored()
    await stage.until(State.BLOCKED)
    assert (await said(stage, "abandon", "other-9", "ada", "?")).startswith("refused: no open run 'other-9'")
    assert (await said(stage, "abandon", run, "ada", "the disk is gone")).startswith(f"run {run} is of no journal")
    await stage.until(State.IN_SYNC)
    assert {machine.stamp for machine in stage.fleet.machines.values()} != {stage.stamp()}
    (new,) = stage.memory.history.runs
    assert new.id.endswith("-2")
    await stage.kill()
    stage.start()
    await stage.until(State.IN_SYNC)


async def test_no_second_migration_begins_beside_one_that_nobody_remembers():
    stage = await at_yoga(Faults(held={"keystone.migrate.schema-sync.main.2023.1"}))
    kept = deepcopy(stage.store)
    stage.want(release="2026.1")
    while "keystone.backup.backup.main@ks1" not in stage.fleet.ledger:
        await stage.step()
    for _ in range(10):
        await stage.step()
    await put_back(stage, kept)
    stage.want(release="2025.1")
    assert (await stage.until(State.BLOCKED)).reason == Reason.JOURNAL_BEHIND


async def test_a_leg_that_an_older_journal_takes_for_open_stands_still():
    stage = await at_yoga()
    stage.want(release="2026.1")
    for _ in range(12):
        await stage.step()
    kept = deepcopy(stage.store)
    await stage.until(State.IN_SYNC)
    stage.want(release="2026.1", vars={"region": "north"})
    await stage.until(State.IN_SYNC)
    await put_back(stage, kept)
    assert (await stage.until(State.BLOCKED)).reason == Reason.JOURNAL_BEHIND
