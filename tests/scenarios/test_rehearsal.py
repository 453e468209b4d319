"""The walk of a database is rehearsed on a copy, by the real pass on a fleet in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from reconciler.domain.backup import BackupPolicy, Need, SetKind
from reconciler.domain.desired import Database, Deployment, Desired
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from reconciler.planning.kept import kept_sets
from reconciler.planning.rehearsal import newest
from tests.fakes.hosts import Faults
from tests.scenarios.stage import Stage
from tests.scenarios.test_practices import HOSTS
from tests.support.sample import KEYSTONE, desired

SCRATCH = Deployment(
    hosts=("new1",),
    bootstrap="new1",
    databases={"main": Database(name="main", url="mysql+pymysql://keystone@newdb/keystone_new")},
    builds=KEYSTONE.builds,
    config=KEYSTONE.config,
    commands=KEYSTONE.commands,
    vars=KEYSTONE.vars,
    backup_dir=KEYSTONE.backup_dir,
)


def rehearsing(release: str, days: int = 0) -> Desired:
    return replace(desired(release=release, rehearsal=SCRATCH, rehearsal_days=days), hosts=HOSTS)


async def at_yoga(days: int = 0) -> Stage:
    stage = Stage(new={"keystone": ("new1", "new2")})
    stage.commit(rehearsing("yoga", days))
    await stage.until(State.IN_SYNC)
    return stage


async def passes(stage: Stage, count: int = 120) -> None:
    for _ in range(count):
        await stage.step()


async def suspended(stage: Stage) -> None:
    """Merge a goal, and let nobody move the service towards it."""
    stage.journal.ask("suspend", "keystone", "ada", "not before the rehearsal")
    stage.commit(rehearsing("2026.1"))
    await stage.until(State.SUSPENDED)


async def test_a_rehearsal_walks_a_copy_to_the_goal_and_touches_nothing_that_serves():
    stage = await at_yoga()
    await suspended(stage)
    before, running = repr(stage.fleet.data), stage.running()
    asked = stage.journal.ask("rehearse", "keystone", "ada", "before the night")
    await passes(stage)

    assert "is rehearsed" in (stage.journal.answer_to(asked) or "")
    (found,) = newest(stage.memory.history)
    assert (found.service, found.state) == ("keystone", "passed")
    done = stage.fleet.ledger
    assert any("schema-sync.main.2026.1@new1" in step for step in done)
    assert {step.rpartition("@")[2] for step in done} == {"new1"}
    assert not any(".quiesce." in step or ".roll." in step or ".start" in step for step in done)
    assert (repr(stage.fleet.data), stage.running()) == (before, running)
    assert stage.fleet.sites["keystone@new"].data.release == ""  # emptied again
    (dump,) = kept_sets(stage.memory.history)
    assert (dump.service, dump.kind, dump.need) == ("keystone", SetKind.REHEARSAL, Need.NONE)


async def test_a_rehearsal_that_fails_halts_nothing_and_leaves_nothing_behind():
    stage = await at_yoga()
    await suspended(stage)
    stage.fleet.failing.add("keystone.migrate.schema-sync.main.2026.1@new1")
    stage.journal.ask("rehearse", "keystone", "ada", "before the night")
    await passes(stage)

    (found,) = newest(stage.memory.history)
    assert found.state == "failed"
    assert stage.memory.history.halts == ()
    assert stage.memory.history.holds == frozenset()
    assert stage.fleet.sites["keystone@new"].data.release == ""


async def test_a_leg_waits_for_the_rehearsal_that_policy_asks_for_and_is_begun_by_itself():
    stage = await at_yoga(days=7)
    stage.fleet.ledger.clear()
    stage.commit(rehearsing("2026.1", days=7))
    await stage.until(State.IN_SYNC)

    (found,) = newest(stage.memory.history)
    assert found.state == "passed"
    ledger = stage.fleet.ledger
    assert ledger.index("keystone.migrate.schema-sync.main.2026.1@new1") < ledger.index("keystone.quiesce.stop@ks1")


async def test_a_rehearsal_that_fails_keeps_the_leg_from_its_pause_until_another_passes():
    stage = await at_yoga(days=7)
    failing = "keystone.migrate.schema-sync.main.2026.1@new1"
    stage.fleet.failing.add(failing)
    stage.commit(rehearsing("2026.1", days=7))
    await passes(stage)
    verdict = await stage.until(State.WAITING, reason=Reason.REHEARSAL_MISSING)
    assert "failed when it was rehearsed" in verdict.text
    assert not any(".quiesce." in step for step in stage.fleet.ledger)

    stage.fleet.failing.discard(failing)
    stage.journal.ask("rehearse", "keystone", "ada", "mended")
    await stage.until(State.IN_SYNC)
    assert [each.state for each in newest(stage.memory.history)] == ["passed"]


async def test_there_is_nothing_to_rehearse_at_the_goal():
    stage = await at_yoga()
    stage.journal.ask("rehearse", "keystone", "ada", "curious")
    await passes(stage, 5)
    assert stage.memory.history.rehearsals_asked == ()
    assert newest(stage.memory.history) == ()


async def test_a_rehearsal_measures_the_steps_of_the_leg_to_come():
    from reconciler.planning.durations import durations_of

    stage = await at_yoga()
    await suspended(stage)
    stage.journal.ask("rehearse", "keystone", "ada", "before the night")
    await passes(stage)
    stage.journal.ask("resume", "keystone", "ada", "go")
    known = durations_of(stage.memory.history)
    await stage.until(State.IN_SYNC)
    leg = stage.memory.history.completed("keystone")[-1].plan
    synced = [step for step in leg.steps if step.kind == "schema_sync"]
    assert synced
    assert all(known.of(step) is not None for step in synced)


async def test_a_rehearsal_whose_step_is_slow_is_followed_to_its_end():
    slow = "keystone.migrate.schema-sync.main.2026.1@new1"
    stage = Stage(Faults(held={slow}), new={"keystone": ("new1", "new2")})
    stage.commit(rehearsing("yoga"))
    await stage.until(State.IN_SYNC)
    await suspended(stage)
    asked = stage.journal.ask("rehearse", "keystone", "ada", "before the night")
    await passes(stage, 60)
    assert stage.journal.answer_to(asked)
    assert newest(stage.memory.history)[0].state == "running"

    stage.fleet.hosts.release()
    await passes(stage)
    assert newest(stage.memory.history)[0].state == "passed"


async def test_the_pause_waits_for_a_young_backup_set_which_a_rehearsal_makes():
    stage = await at_yoga()
    asking = {"keystone": BackupPolicy(within_hours=48)}
    await stage.clock.advance(timedelta(hours=49).total_seconds())
    stage.commit(replace(rehearsing("2026.1"), backups=asking))
    held = await stage.until(State.WAITING, reason=Reason.BACKUP_MISSING)
    assert [each.gate for each in held.blocks] == ["backups"]
    assert stage.fleet.data.release == "yoga"

    stage.journal.ask("rehearse", "keystone", "ada", "for a set")
    await stage.until(State.IN_SYNC)
    assert stage.fleet.data.release == "2026.1"
