"""Journeys of the practices on a fleet in memory: replacements, groups one by one, and rolling drains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.domain.desired import Database, Deployment, Desired, Host, Service
from reconciler.domain.procedure import Procedure
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from tests.scenarios.laws import Case, breaches
from tests.scenarios.stage import BROKEN_CONFIG, Stage, fleet_of, second
from tests.support.procedures import written
from tests.support.sample import DESIRED, KEYSTONE

NEW = ("new1", "new2")
HOSTS = {
    **DESIRED.hosts,
    **{name: Host(name=name, address=f"10.0.0.{n}", vars={"port": "5000"}) for n, name in enumerate(NEW, start=4)},
}


def replaced(release: str = "2026.1", **changes: object) -> Service:
    """Return Keystone with a second deployment on hosts and a database of its own."""
    new = Deployment(
        hosts=NEW,
        bootstrap="new1",
        databases={"main": Database(name="main", url="mysql+pymysql://keystone@newdb/keystone_new")},
        units=KEYSTONE.units,
        builds=KEYSTONE.builds,
        config=KEYSTONE.config,
        commands=KEYSTONE.commands,
        vars=KEYSTONE.vars,
        backup_dir=KEYSTONE.backup_dir,
    )
    return replace(
        KEYSTONE,
        release=release,
        procedure="replacement",
        replacements={release: replace(new, **changes)},
        deployment="own",
    )


def desired(*services: Service, procedures: Mapping[str, Procedure] | None = None, one_by_one: bool = False) -> Desired:
    found = fleet_of(services, {"control": tuple(each.name for each in services)} if len(services) > 1 else {})
    return replace(
        found,
        hosts=HOSTS,
        procedures={**found.procedures, **(procedures or {})},
        one_by_one=frozenset({"control"} if one_by_one else ()),
    )


def running(stage: Stage) -> dict[str, str]:
    """Return the release that each host runs, both deployments, empty for none."""
    sites = [site for name, site in stage.fleet.sites.items() if name.startswith("keystone")]
    return {name: each.running.rsplit("/", 1)[-1] for site in sites for name, each in site.machines.items()}


OLD_SERVES = {"ks1": "yoga", "ks2": "yoga", "ks3": "yoga", "new1": "", "new2": ""}
NEW_SERVES = {"ks1": "", "ks2": "", "ks3": "", "new1": "2026.1", "new2": "2026.1"}


def lawful(stage: Stage) -> bool:
    return breaches(Case(stage.store_entries(), stage.fleet.deeds, stage.wanted)) == []


# ---------------------------------------------------------------- replacement


async def at_yoga() -> Stage:
    stage = Stage(new={"keystone": NEW})
    stage.commit(desired(replace(KEYSTONE)))
    await stage.until(State.IN_SYNC)
    return stage


async def moved() -> Stage:
    """Bring Keystone onto its second deployment."""
    stage = await at_yoga()
    stage.commit(desired(replaced()))
    await stage.until(State.IN_SYNC)
    return stage


async def test_a_replacement_loads_migrates_and_cuts_over_while_the_old_one_is_kept():
    stage = await moved()

    assert running(stage) == NEW_SERVES
    assert stage.fleet.sites["keystone@new"].data.release == "2026.1"
    assert stage.fleet.sites["keystone@new"].data.rows == ["admin"]
    assert stage.fleet.data.release == "yoga"
    assert stage.fleet.machines["ks1"].link == "/srv/keystone/yoga"
    done = stage.fleet.ledger
    order = ["quiesce.stop@ks1", "backup.backup.main@new1", "load.load.main@new1"]
    order += ["migrate.schema-sync.main.2023.1@new1", "roll.start@new1", "roll.start@new2"]
    assert [done.index(f"keystone.{step}") for step in order] == sorted(done.index(f"keystone.{s}") for s in order)
    assert lawful(stage)


async def test_a_second_deployment_that_is_live_is_refreshed_as_any_other():
    stage = await moved()
    stage.fleet.ledger.clear()
    stage.commit(desired(replaced(vars={"region": "RegionTwo"})))

    await stage.until(State.IN_SYNC)

    assert {step.partition("@")[2] for step in stage.fleet.ledger} == set(NEW)


async def test_a_canary_that_fails_on_the_second_deployment_brings_the_first_back():
    stage = await at_yoga()
    stage.commit(desired(replaced(config=BROKEN_CONFIG)))

    verdict = await stage.until(State.HALTED)

    assert verdict.reason == Reason.CANARY_FAILED
    assert running(stage) == OLD_SERVES
    assert stage.fleet.sites["keystone@new"].data.release == ""
    assert lawful(stage)

    stage.commit(desired(replaced()))
    await stage.until(State.IN_SYNC)
    assert running(stage) == NEW_SERVES
    assert lawful(stage)


async def test_a_revert_after_the_cutover_stops_the_new_one_and_starts_the_old_one():
    stage = await moved()
    stage.fleet.ledger.clear()
    stage.commit(desired(replace(KEYSTONE)))

    await stage.until(State.IN_SYNC)

    assert running(stage) == OLD_SERVES
    done = stage.fleet.ledger
    assert done.index("back.keystone.roll.start@new1") < done.index("back.keystone.quiesce.stop@ks1")
    assert stage.fleet.data.rows == ["admin"]
    assert lawful(stage)


async def test_what_was_written_since_the_cutover_is_not_lost_by_a_revert():
    stage = await moved()
    stage.fleet.sites["keystone@new"].data.rows.append("written since")
    stage.fleet.ledger.clear()
    stage.commit(desired(replace(KEYSTONE)))

    verdict = await stage.until(State.HALTED)

    assert verdict.reason == Reason.WRITTEN_SINCE
    assert running(stage) == NEW_SERVES
    assert all(step.startswith("preflight.") for step in stage.fleet.ledger)


async def test_a_goal_that_changes_before_the_cutover_lets_the_old_one_serve_first():
    stage = await at_yoga()
    stage.commit(desired(replaced()))
    while "keystone.load.load.main@new1" not in stage.fleet.ledger:
        await stage.step()
    stage.commit(desired(replaced(release="2025.1")))

    await stage.until(State.IN_SYNC)

    assert stage.fleet.sites["keystone@new"].data.release == "2025.1"
    assert "back.keystone.quiesce.stop@ks1" in stage.fleet.ledger
    assert [run.ended for run in stage.memory.history.runs] == ["backed_out", "done"]
    assert lawful(stage)


async def test_the_keys_of_a_live_replacement_become_the_services_own():
    stage = await moved()
    (whole,) = replaced().replacements.values()
    stage.fleet.ledger.clear()
    own = replace(KEYSTONE, release="2026.1", hosts=NEW, bootstrap="new1", databases=whole.databases)
    stage.commit(desired(own))

    await stage.until(State.IN_SYNC)

    assert stage.fleet.ledger == []
    assert running(stage) == NEW_SERVES


# ---------------------------------------------------------------- one by one


async def test_services_one_by_one_move_in_their_order_and_come_back_in_reverse():
    identity = second()
    stage = Stage(services={"keystone": KEYSTONE, "identity": identity}, new={"keystone": NEW})
    goal = [replace(each, release="2026.1") for each in (KEYSTONE, identity)]
    stage.commit(desired(KEYSTONE, identity, one_by_one=True))
    await stage.until(State.IN_SYNC)

    stage.commit(desired(*goal, one_by_one=True))
    await stage.until(State.IN_SYNC)

    done = stage.fleet.ledger
    prepared = [n for n, step in enumerate(done) if ".prepare." in step]
    assert max(prepared) < done.index("keystone.quiesce.stop@ks1")
    assert done.index("keystone.roll.start@ks3") < done.index("identity.quiesce.stop@ks1")
    assert lawful(stage)

    stage.fleet.ledger.clear()
    stage.commit(desired(KEYSTONE, identity, one_by_one=True))
    await stage.until(State.IN_SYNC)

    done = stage.fleet.ledger
    back_of_identity = [n for n, step in enumerate(done) if step.startswith("back.identity")]
    back_of_keystone = [n for n, step in enumerate(done) if step.startswith("back.keystone")]
    assert max(back_of_identity) < min(back_of_keystone)
    assert stage.running() == {"ks1": "yoga", "ks2": "yoga", "ks3": "yoga"}
    assert lawful(stage)


async def test_a_canary_of_the_second_service_takes_back_both_in_reverse_order():
    identity = second()
    stage = Stage(services={"keystone": KEYSTONE, "identity": identity}, new={"keystone": NEW})
    stage.commit(desired(KEYSTONE, identity))
    await stage.until(State.IN_SYNC)
    goal = [replace(KEYSTONE, release="2026.1"), replace(identity, release="2026.1", config=BROKEN_CONFIG)]
    stage.commit(desired(*goal))

    verdict = await stage.until(State.HALTED)

    assert verdict.reason == Reason.CANARY_FAILED
    for site in (stage.fleet.sites["keystone"], stage.fleet.sites["identity"]):
        assert {each.running.rsplit("/", 1)[-1] for each in site.machines.values()} == {"yoga"}
        assert site.data.release == "yoga"
    assert lawful(stage)


# ---------------------------------------------------------------- rolling drain

DRAIN = written("""
drain:
  text: Each host drains onto one that has moved, then moves itself.
  leg: route
  phases:
    - {phase: prepare, on: fleet, steps: [prepare_build]}
    - phase: roll
      on: wave
      steps:
        - {action: command, name: guests, argv: [list-guests, "{host}"]}
        - {action: command, name: drain, argv: [migrate, "{host}", "{onto}"], when: onto}
        - stop
        - install_build
        - configure
        - start
        - verify_build
        - {action: command, name: count, argv: [see, "{value:guests.count}"]}
""")


def agents(release: str) -> Service:
    return replace(KEYSTONE, release=release, procedure="drain", databases={}, verify=(), smoke=())


async def test_each_host_drains_onto_the_one_that_moved_before_it():
    stage = Stage(new={"keystone": NEW})
    stage.commit(desired(agents("yoga"), procedures=DRAIN))
    await stage.until(State.IN_SYNC)
    stage.fleet.values = {f"keystone.roll.guests@ks{n}": {"count": str(n)} for n in (1, 2, 3)}

    stage.commit(desired(agents("2023.1"), procedures=DRAIN))
    await stage.until(State.IN_SYNC)

    (run,) = stage.memory.history.runs
    drains = [(step.host, step.args["argv"]) for step in run.plan.steps if step.name == "drain"]
    assert drains == [("ks2", ["migrate", "ks2", "ks1"]), ("ks3", ["migrate", "ks3", "ks2"])]
    assert stage.running() == {"ks1": "2023.1", "ks2": "2023.1", "ks3": "2023.1"}
    assert lawful(stage)


async def test_a_value_that_nobody_left_fails_the_step_before_it_begins():
    stage = Stage(new={"keystone": NEW})
    stage.commit(desired(agents("yoga"), procedures=DRAIN))
    await stage.until(State.IN_SYNC)

    stage.commit(desired(agents("2023.1"), procedures=DRAIN))
    verdict = await stage.until(State.HALTED)

    assert "no step guests left a value count" in verdict.text
    assert "keystone.roll.count@ks1" not in stage.fleet.ledger
    assert stage.running() == {"ks1": "yoga", "ks2": "yoga", "ks3": "yoga"}


# ---------------------------------------------------------------- watches

WATCHED = written("""
watched:
  text: A guest must answer from the first stop to the end.
  leg: route
  phases:
    - {phase: prepare, on: fleet, steps: [prepare_build]}
    - {phase: roll, on: first, steps: [stop, install_build, configure, start, verify_build]}
    - {phase: roll, on: pending, rolling: true, steps: [stop, install_build, configure, start, verify_build]}
    - {phase: finish, on: daemon, steps: [smoke]}
  watches:
    - {name: guest, ping: 192.0.2.10, from: roll, to: finish}
""")


async def watched(failing: str) -> Stage:
    """Move agents while a guest is watched; the named check fails."""
    stage = Stage(new={"keystone": NEW})
    service = replace(KEYSTONE, procedure="watched", databases={}, verify=(), smoke=())
    stage.commit(desired(service, procedures=WATCHED))
    await stage.until(State.IN_SYNC)
    stage.fleet.failing = {failing} if failing else set()
    stage.commit(desired(replace(service, release="2023.1"), procedures=WATCHED))
    await stage.until(State.HALTED if failing else State.IN_SYNC)
    return stage


async def test_a_watch_is_begun_checked_after_every_phase_and_ended():
    stage = await watched("")

    watch = [step for step in stage.fleet.ledger if ".watch.guest." in step]
    assert [step.partition("guest.")[2] for step in watch] == [
        "start@ks1",
        "check@ks1",
        "check.2@ks1",
        "check@ks1",
        "stop@ks1",
    ]
    assert lawful(stage)


async def test_a_watch_that_fails_while_only_the_canary_has_moved_takes_the_leg_back():
    stage = await watched("keystone.roll.watch.guest.check@ks1")

    assert stage.running() == {"ks1": "yoga", "ks2": "yoga", "ks3": "yoga"}
    assert stage.fleet.ledger[-1] != "keystone.roll.watch.guest.check@ks1"
    assert "back.keystone.roll.watch.guest.start@ks1" in stage.fleet.ledger
    assert lawful(stage)


async def test_a_watch_that_fails_later_holds_the_leg_in_place():
    stage = await watched("keystone.roll.watch.guest.check.2@ks1")

    assert stage.running() == {"ks1": "2023.1", "ks2": "2023.1", "ks3": "2023.1"}
    assert not any(step.startswith("back.") for step in stage.fleet.ledger)
