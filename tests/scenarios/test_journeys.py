"""Whole journeys of the real pass on a fleet in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from reconciler.domain.backup import BackupPolicy, Trust
from reconciler.domain.desired import Accept
from reconciler.domain.journal import Kind
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from reconciler.planning.kept import kept_sets
from tests.fakes.clock import settle
from tests.fakes.hosts import Faults
from tests.scenarios.stage import BROKEN_CONFIG, Stage
from tests.support.sample import desired

FOREVER = date(2099, 1, 1)
LONG_AGO = date(2020, 1, 1)


def loss(until: date) -> Accept:
    return Accept(what="data-loss:keystone", by="ada", reason="test", until=until)


async def test_a_fleet_that_is_where_it_should_be_is_left_alone():
    stage = Stage()
    stage.want(release="yoga")

    await stage.until(State.IN_SYNC)

    assert stage.fleet.ledger == []


async def test_a_merge_walks_the_schema_through_its_stops_and_moves_the_canary_first():
    stage = await at_yoga()
    stage.want(release="2026.1")

    await stage.until(State.IN_SYNC)

    assert stage.running() == {"ks1": "2026.1", "ks2": "2026.1", "ks3": "2026.1"}
    assert stage.fleet.data.release == "2026.1"
    done = stage.fleet.ledger
    assert done.index("keystone.migrate.schema-sync.main.2023.1@ks1") < done.index(
        "keystone.migrate.schema-sync.main.2026.1@ks1"
    )
    assert done.index("keystone.roll.start@ks1") < done.index("keystone.roll.install@ks2")
    assert done.index("keystone.backup.backup.main@ks1") < done.index("keystone.migrate.configure.2023.1@ks1")


async def at_yoga(faults: Faults | None = None) -> Stage:
    """Return a fleet that a daemon has met at Yoga."""
    stage = Stage(faults)
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    return stage


async def advanced() -> Stage:
    """Bring a fleet from Yoga to 2026.1."""
    stage = await at_yoga()
    stage.want(release="2026.1")
    await stage.until(State.IN_SYNC)
    stage.fleet.ledger.clear()
    return stage


async def test_the_pass_in_which_a_run_ends_looks_at_the_fleet_anew():
    stage = await at_yoga()
    stage.want(release="2026.1")

    await stage.pass_once()
    while not (stage.memory.history.runs and stage.memory.history.runs[-1].ended):
        await stage.step()
        await stage.pass_once()

    assert stage.memory.looking is not None
    assert not stage.memory.looking.done()


async def test_a_canary_that_fails_brings_everything_back():
    stage = await at_yoga()
    stage.want(release="2026.1", config=BROKEN_CONFIG)

    verdict = await stage.until(State.HALTED)

    assert verdict.reason == Reason.CANARY_FAILED
    assert "ks1" in verdict.text
    assert stage.running() == {"ks1": "yoga", "ks2": "yoga", "ks3": "yoga"}
    assert stage.fleet.data.release == "yoga"
    assert stage.fleet.machines["ks1"].stamp == stage.stamp()
    assert not any("roll.install@ks2" in step for step in stage.fleet.ledger)


async def test_what_failed_is_not_tried_again_until_the_inputs_change():
    stage = await at_yoga()
    stage.want(release="2026.1", config=BROKEN_CONFIG)
    await stage.until(State.HALTED)
    runs = len(stage.memory.history.runs)

    await stage.kill()
    stage.start()
    await stage.until(State.HALTED)
    assert len(stage.memory.history.runs) == runs

    stage.want(release="2026.1")
    await stage.until(State.IN_SYNC)
    assert stage.memory.history.halts == ()
    assert stage.fleet.data.release == "2026.1"


async def test_a_halt_that_is_cleared_leaves_the_hold_and_retry_ends_it():
    stage = await at_yoga()
    stage.fleet.failing = {"keystone.migrate.schema-sync.main.2026.1@ks1"}
    stage.want(release="2026.1")
    halted = await stage.until(State.HALTED)
    assert halted.reason == Reason.STEP_FAILED
    assert stage.fleet.data.release == "yoga"

    stage.journal.ask("clear-halt", "h1", "ada", "looked at it")
    held = await stage.until(State.BLOCKED)
    assert held.reason == Reason.HELD

    stage.fleet.failing = set()
    stage.journal.ask("retry", "keystone", "ada", "disk was full")
    await stage.until(State.IN_SYNC)
    assert stage.fleet.data.release == "2026.1"


async def test_a_broken_refresh_is_stopped_at_the_canary_and_its_revert_ends_the_halt():
    stage = await advanced()
    stage.want(release="2026.1", config=BROKEN_CONFIG)

    assert (await stage.until(State.HALTED)).reason == Reason.CANARY_FAILED
    assert {step.split("@")[1] for step in stage.fleet.ledger if "roll" in step} == {"ks1"}

    stage.want(release="2026.1")
    await stage.until(State.IN_SYNC)
    assert stage.memory.history.halts == ()


async def test_a_revert_brings_back_builds_and_every_row():
    stage = await advanced()
    rows = list(stage.rows())
    stage.want(release="yoga")

    await stage.until(State.IN_SYNC)

    assert stage.running() == {"ks1": "yoga", "ks2": "yoga", "ks3": "yoga"}
    assert (stage.fleet.data.release, stage.rows()) == ("yoga", rows)
    assert all(machine.stamp == stage.stamp() for machine in stage.fleet.machines.values())


async def test_advance_revert_and_advance_again_are_three_runs():
    stage = await advanced()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    stage.want(release="2026.1")

    await stage.until(State.IN_SYNC)

    assert [run.ended for run in stage.memory.history.runs] == ["done", "done", "done"]
    assert len({run.id for run in stage.memory.history.runs}) == 3
    assert stage.fleet.data.release == "2026.1"


async def test_data_written_since_is_not_lost_without_a_name_under_it():
    stage = await advanced()
    stage.fleet.data.rows.append("somebody new")
    stage.want(release="yoga")

    refused = await stage.until(State.HALTED)
    assert refused.reason == Reason.WRITTEN_SINCE
    assert all(step.startswith("preflight.") for step in stage.fleet.ledger)  # nothing was stopped to find out
    assert stage.running() == {"ks1": "2026.1", "ks2": "2026.1", "ks3": "2026.1"}

    stage.want(release="yoga", accepts=(loss(until=LONG_AGO),))
    assert (await stage.until(State.HALTED)).reason == Reason.WRITTEN_SINCE

    stage.want(release="yoga", accepts=(loss(until=FOREVER),))
    await stage.until(State.IN_SYNC)
    assert (stage.fleet.data.release, stage.rows()) == ("yoga", ["admin"])


async def test_a_goal_taken_back_in_mid_leg_is_undone():
    stage = await at_yoga()
    stage.want(release="2026.1")
    while "keystone.migrate.schema-sync.main.2023.1@ks1" not in stage.fleet.ledger:
        await stage.step()
    stage.want(release="yoga")

    await stage.until(State.IN_SYNC)

    assert stage.fleet.data.release == "yoga"
    assert stage.running() == {"ks1": "yoga", "ks2": "yoga", "ks3": "yoga"}
    assert [run.ended for run in stage.memory.history.runs] == ["backed_out"]


async def test_a_goal_taken_back_while_only_preparing_is_dropped():
    stage = await at_yoga()
    stage.want(release="2026.1")
    while not stage.fleet.ledger:
        await stage.step()
    stage.want(release="yoga")

    await stage.until(State.IN_SYNC)

    assert [run.ended for run in stage.memory.history.runs] == ["dropped"]
    assert all(".prepare." in step or ".preflight." in step for step in stage.fleet.ledger)


async def test_a_failure_after_the_canary_holds_in_place_until_somebody_says_retry():
    stage = await at_yoga()
    stage.fleet.dead_apis = {"ks2"}
    stage.want(release="2026.1")

    held = await stage.until(State.HALTED)
    assert held.reason == Reason.VERIFY_FAILED
    assert stage.running() == {"ks1": "2026.1", "ks2": "2026.1", "ks3": ""}

    stage.fleet.dead_apis = set()
    stage.journal.ask("retry", "keystone", "ada", "mended ks2")
    await stage.until(State.IN_SYNC)
    assert stage.running() == {"ks1": "2026.1", "ks2": "2026.1", "ks3": "2026.1"}


async def test_a_held_leg_is_undone_by_a_revert():
    stage = await at_yoga()
    stage.fleet.dead_apis = {"ks2"}
    stage.want(release="2026.1")
    await stage.until(State.HALTED)
    stage.fleet.dead_apis = set()
    stage.want(release="yoga")

    await stage.until(State.IN_SYNC)

    assert stage.fleet.data.release == "yoga"
    assert stage.memory.history.halts == ()


async def test_nothing_starts_while_suspended_and_everything_after():
    stage = await at_yoga()
    stage.journal.ask("suspend", "", "ada", "storm")
    stage.want(release="2026.1")

    assert "ada" in (await stage.until(State.SUSPENDED)).text
    assert stage.fleet.ledger == []

    stage.journal.ask("resume", "", "ada", "storm is over")
    await stage.until(State.IN_SYNC)
    assert stage.fleet.data.release == "2026.1"


async def test_a_host_that_cannot_be_reached_blocks_and_says_so():
    stage = await at_yoga()
    stage.fleet.hosts.cut("ks3")
    stage.want(release="2026.1")

    blocked = await stage.until(State.BLOCKED)

    assert blocked.reason == Reason.HOST_UNREACHABLE
    assert "ks3" in blocked.text
    assert stage.fleet.ledger == []


async def test_a_lost_answer_is_settled_by_asking_and_nothing_runs_twice():
    stage = await at_yoga(Faults(lost_answers=set(range(1, 60))))
    stage.want(release="2026.1")

    await stage.until(State.IN_SYNC)

    assert len(stage.fleet.ledger) == len(set(stage.fleet.ledger))


async def test_a_schema_step_that_died_with_its_host_is_taken_back():
    step = "keystone.migrate.schema-sync.main.2026.1@ks1"
    stage = await at_yoga(Faults(dies_before={step}, reboots={"ks1"}))
    stage.want(release="2026.1")

    halted = await stage.until(State.HALTED)

    assert halted.reason == Reason.STEP_LOST
    assert stage.fleet.data.release == "yoga"
    assert stage.running() == {"ks1": "yoga", "ks2": "yoga", "ks3": "yoga"}


ROLLING = {"procedure": "zero-downtime", "policy": "supported"}


async def rolling() -> Stage:
    """Return a fleet at Yoga that is to be moved without downtime."""
    stage = Stage()
    stage.want(release="yoga", **ROLLING)
    await stage.until(State.IN_SYNC)
    return stage


async def test_zero_downtime_never_stops_two_hosts_at_once():
    stage = await rolling()
    stage.want(release="2023.1", **ROLLING)
    fewest = 3
    for _ in range(60):
        await stage.step()
        fewest = min(fewest, sum(1 for release in stage.running().values() if release))

    await stage.until(State.IN_SYNC)

    assert fewest == 2
    assert stage.running() == {"ks1": "2023.1", "ks2": "2023.1", "ks3": "2023.1"}
    assert (stage.fleet.data.release, stage.fleet.data.expanded) == ("2023.1", "")


async def test_after_contract_there_is_no_way_back():
    stage = await rolling()
    stage.want(release="2023.1", **ROLLING)
    await stage.until(State.IN_SYNC)
    stage.want(release="yoga", **ROLLING)

    blocked = await stage.until(State.BLOCKED)

    assert blocked.reason == Reason.BEYOND_NO_RETURN
    assert "was done in run" in blocked.text
    assert "the backup set of the leg: ks1:/" in blocked.text
    assert stage.running() == {"ks1": "2023.1", "ks2": "2023.1", "ks3": "2023.1"}


async def test_a_rolling_canary_that_fails_goes_back_alone_and_the_expanded_schema_can_be_finished_later():
    stage = await rolling()
    stage.want(release="2023.1", config=BROKEN_CONFIG, **ROLLING)

    assert (await stage.until(State.HALTED)).reason == Reason.CANARY_FAILED
    assert stage.running() == {"ks1": "yoga", "ks2": "yoga", "ks3": "yoga"}
    assert stage.fleet.data.expanded == "2023.1"

    stage.want(release="2023.1", **ROLLING)
    await stage.until(State.IN_SYNC)
    assert stage.running() == {"ks1": "2023.1", "ks2": "2023.1", "ks3": "2023.1"}


async def test_a_slow_step_halts_and_is_not_killed():
    step = "keystone.migrate.schema-sync.main.2023.1@ks1"
    stage = await at_yoga(Faults(held={step}))
    stage.want(release="2026.1")
    while not stage.memory.history.halts:
        await stage.pass_once()
        await settle()
        await stage.clock.advance(300.0)

    assert [halt.reason for halt in stage.memory.history.halts] == [Reason.STEP_SLOW]
    stage.fleet.hosts.release(step)
    await stage.until(State.HALTED)
    assert stage.fleet.data.release == "2023.1"  # it was let finish, and nothing was started after it

    stage.journal.ask("clear-halt", "h1", "ada", "it was the disk")
    await stage.until(State.IN_SYNC)
    assert stage.fleet.data.release == "2026.1"


async def test_a_host_lost_in_mid_run_is_waited_for_with_its_name():
    step = "keystone.roll.start@ks2"
    stage = await at_yoga(Faults(held={step}))
    stage.want(release="2026.1")
    while not stage.fleet.hosts.hosts.get("ks2") or not stage.fleet.hosts.hosts["ks2"].waiting:
        await stage.step()
    stage.fleet.hosts.cut("ks2")
    for _ in range(3):
        await stage.step()
    verdict = (await stage.pass_once()).decisions[0].verdict

    assert (verdict.state, verdict.reason) == (State.WAITING, Reason.HOST_UNREACHABLE)
    stage.fleet.hosts.mend("ks2")
    stage.fleet.hosts.release(step)
    await stage.until(State.IN_SYNC)
    assert stage.fleet.ledger.count(step) == 1


async def between_hops() -> Stage:
    """Bring a fast-forward to 2026.1 just behind its first hop."""
    stage = await at_yoga()
    stage.want(release="2026.1")
    while "keystone.migrate.schema-sync.main.2023.1@ks1" not in stage.fleet.ledger:
        await stage.step()
    return stage


async def test_a_goal_raised_in_mid_leg_is_taken_over_at_the_next_safe_point():
    stage = await between_hops()
    stage.want(release="2026.2")

    await stage.until(State.IN_SYNC)

    assert stage.running() == {"ks1": "2026.2", "ks2": "2026.2", "ks3": "2026.2"}
    assert [run.ended for run in stage.memory.history.runs] == ["superseded", "done"]
    assert sum("backup.main" in step for step in stage.fleet.ledger) == 1  # an intermediate schema is no backup
    assert not any("2026.1" in step and "roll" in step for step in stage.fleet.ledger)


async def test_a_leg_that_was_taken_over_goes_back_to_where_it_began():
    stage = await between_hops()
    stage.want(release="2026.2")
    await stage.until(State.IN_SYNC)
    stage.want(release="yoga")

    await stage.until(State.IN_SYNC)

    assert stage.running() == {"ks1": "yoga", "ks2": "yoga", "ks3": "yoga"}
    assert (stage.fleet.data.release, stage.rows()) == ("yoga", ["admin"])
    assert all(machine.stamp == stage.stamp() for machine in stage.fleet.machines.values())


async def test_a_canary_that_fails_after_a_takeover_takes_back_the_whole_leg():
    stage = await between_hops()
    stage.want(release="2026.2", config=BROKEN_CONFIG)

    assert (await stage.until(State.HALTED)).reason == Reason.CANARY_FAILED

    assert stage.running() == {"ks1": "yoga", "ks2": "yoga", "ks3": "yoga"}
    assert stage.fleet.data.release == "yoga"
    assert stage.memory.history.superseded("keystone") is None


async def test_a_goal_lowered_to_where_the_schema_stands_ends_the_leg_there():
    stage = await between_hops()
    stage.want(release="2023.1")

    await stage.until(State.IN_SYNC)

    assert stage.running() == {"ks1": "2023.1", "ks2": "2023.1", "ks3": "2023.1"}
    assert stage.fleet.data.release == "2023.1"


async def test_a_held_leg_goes_on_with_a_corrected_configuration():
    stage = await at_yoga()
    stage.fleet.dead_apis = {"ks2"}
    stage.want(release="2026.1")
    assert (await stage.until(State.HALTED)).reason == Reason.VERIFY_FAILED
    stage.fleet.dead_apis = set()
    stage.want(release="2026.1", vars={"region": "RegionTwo"})

    await stage.until(State.IN_SYNC)

    assert stage.running() == {"ks1": "2026.1", "ks2": "2026.1", "ks3": "2026.1"}
    assert all("RegionTwo" in text for m in stage.fleet.machines.values() for text in m.config.values())


async def test_an_unrelated_commit_changes_nothing_of_a_run():
    stage = await between_hops()
    stage.want("a word in the documentation", release="2026.1")

    await stage.until(State.IN_SYNC)

    assert [run.ended for run in stage.memory.history.runs] == ["done"]


async def test_a_host_without_any_build_is_not_provisioned():
    stage = await at_yoga()
    stage.fleet.machines["ks3"].link = ""
    stage.want(release="2026.1")

    blocked = await stage.until(State.BLOCKED)

    assert blocked.reason == Reason.HOST_WITHOUT_BUILD
    assert "ks3" in blocked.text
    assert stage.fleet.ledger == []


async def test_older_backup_sets_are_removed_by_policy_and_the_way_back_is_not():
    stage = await at_yoga()
    for release in ("2023.1", "2024.1", "2025.1"):
        policy = {"keystone": BackupPolicy(keep=1)}
        stage.commit(replace(desired(release=release), backups=policy))
        await stage.until(State.IN_SYNC)

    sets = kept_sets(stage.memory.history)
    assert [(each.release, bool(each.removed_at)) for each in sets] == [
        ("2024.1", False),
        ("2023.1", False),  # the last leg's, when that of the newest removed what was due
        ("yoga", True),
    ]
    (site,) = stage.fleet.sites.values()
    assert set(site.backups) == {each.run for each in sets if each.removed_at is None}

    stage.want(release="yoga")  # two legs would lead there, and the older one's set is gone
    refused = await stage.until(State.BLOCKED)
    assert refused.reason == Reason.NO_WAY_BACK
    assert "the backup set of keystone at yoga was removed" in refused.text
    assert stage.fleet.data.release == "2025.1"  # not even the newer one was taken back

    stage.want(release="2023.1")
    await stage.until(State.IN_SYNC)
    assert stage.fleet.data.release == "2023.1"


async def test_no_schema_moves_before_its_dump_was_restored_on_trial_where_policy_demands_that():
    stage = await at_yoga()
    trial = "keystone.backup.restore-check.main@ks1"
    stage.fleet.failing = {trial}
    policy = {"keystone": BackupPolicy(trust=Trust.RESTORED)}
    stage.commit(replace(desired(release="2026.1"), backups=policy))

    halted = await stage.until(State.HALTED)
    assert "on trial" in halted.text
    assert not any("schema-sync" in step for step in stage.fleet.ledger)
    assert stage.running() == {"ks1": "yoga", "ks2": "yoga", "ks3": "yoga"}

    stage.fleet.failing = set()
    stage.journal.ask("retry", "keystone", "ada", "mended")
    await stage.until(State.IN_SYNC)
    done = stage.fleet.ledger
    assert done.index(trial) < done.index("keystone.migrate.schema-sync.main.2023.1@ks1")
    assert kept_sets(stage.memory.history)[0].trust is Trust.RESTORED


async def test_a_leg_that_is_taken_over_with_its_schema_expanded_goes_on_from_where_it_began():
    stage = Stage(Faults(held={"keystone.roll.start@ks3"}))
    stage.want(release="2023.1", procedure="zero-downtime")
    for _ in range(60):
        await stage.step()
    stage.want(release="2023.1", procedure="zero-downtime", vars={"region": "RegionTwo"})
    await stage.step()
    stage.fleet.hosts.release("keystone.roll.start@ks3")

    await stage.until(State.IN_SYNC)

    plans = [entry.body["plan"] for entry in stage.store_entries() if entry.kind == Kind.PLAN_PINNED]
    assert [plan["services"][0]["route"] for plan in plans] == [["yoga", "2023.1"]] * 2
    assert plans[1]["inherits"]
