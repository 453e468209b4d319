"""What undoes a run, from literals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.outcome import Done
from reconciler.domain.plan import Plan, Step, Undo
from reconciler.domain.procedure import Phase
from reconciler.domain.run import Attempt, Run
from reconciler.planning.inherit import inherit
from reconciler.planning.serial import plan_from_json, plan_to_json
from reconciler.planning.way_back import undo_steps
from tests.planning.test_plan import ancestors, plan

AT = datetime(2026, 1, 2, tzinfo=UTC)
FORWARD = plan(release="2026.1")
SEAL = "keystone.migrate.seal.main"


def run(count: int, of: Plan = FORWARD) -> Run:
    """Return a run whose first steps are done."""
    values = {SEAL: {"fingerprint": "f1"}}
    done = {step.id: (Attempt(1, AT, 1, Done(values.get(step.id, {})), AT),) for step in of.steps[:count]}
    return Run(id="r1", plan=of, started_at=AT, attempts=done)


def upto(step_id: str, of: Plan = FORWARD) -> Run:
    return run([step.id for step in of.steps].index(step_id) + 1, of)


def back(of: Run, *, same_run: bool = True, accept: frozenset[str] = frozenset()) -> dict[str, Step]:
    return {step.id: step for step in undo_steps([of], under=of.id if same_run else "r2", accept_loss=accept)}


def test_nothing_begun_needs_nothing_undone():
    assert back(run(0)) == {}


def test_preparing_is_not_undone():
    assert back(upto("keystone.prepare.prepare.2026.1@ks3")) == {}


def test_stopped_hosts_are_started_and_seen_healthy_again():
    found = back(upto("keystone.quiesce.stop@ks3"))

    assert [step.title for step in found.values() if step.kind == "units"] == ["start keystone"] * 3
    last = found["back.keystone.back-out.verify.token@ks2"]
    assert {f"back.keystone.quiesce.stop@{host}" for host in ("ks1", "ks2", "ks3")} <= ancestors(last, found)


def test_a_schema_that_began_to_move_is_restored_once_before_anything_starts():
    found = back(upto("keystone.migrate.schema-sync.main.2026.1@ks1"))

    restores = [step for step in found.values() if step.kind == "restore"]
    assert [step.id for step in restores] == ["back.keystone.migrate.schema-sync.main.2023.1@ks1"]
    assert restores[0].args["run"] == ""
    assert restores[0].args["keep_present"] is False  # nobody could write: all were stopped
    assert restores[0].id in ancestors(found["back.keystone.quiesce.stop@ks1"], found)
    assert not any(step.kind == "unchanged" for step in found.values())


def test_a_host_that_only_a_later_run_stopped_is_started_after_the_rows_are_put_back_too():
    sync = upto("keystone.migrate.schema-sync.main.2023.1@ks1")
    stop = next(step for step in FORWARD.steps if step.id == "keystone.quiesce.stop@ks3")
    first = replace(sync, attempts={id_: tries for id_, tries in sync.attempts.items() if id_ != stop.id})
    rolled = tuple(
        replace(stop, id=f"keystone.roll.stop@ks{n}", phase=Phase.ROLL, after=after)
        for n, after in ((3, ()), (4, ("keystone.roll.stop@ks3",)))
    )
    second = replace(run(2, replace(FORWARD, inherits="r1", steps=rolled)), id="r2")

    found = {step.id: step for step in undo_steps([second, first], under="r2", accept_loss=frozenset())}

    restore = "back.r1.keystone.migrate.schema-sync.main.2023.1@ks1"
    starts = [step.id for step in found.values() if step.kind == "units"]
    assert {"back.keystone.roll.stop@ks3", "back.keystone.roll.stop@ks4"} < set(starts)
    assert all(restore in ancestors(found[each], found) for each in starts)


@pytest.mark.parametrize("away", ["ks1", "ks3"])
def test_whatever_two_runs_of_a_leg_began_the_way_back_restores_and_then_starts(away: str):
    """The later run goes through the quiesce once more, and stops the host that was `away` before."""
    for older in range(0, len(FORWARD.steps), 2):
        first = run(older)
        left = {name: tries for name, tries in first.attempts.items() if name != f"keystone.quiesce.stop@{away}"}
        first = replace(first, attempts=left)
        rest = replace(FORWARD, inherits="r1", steps=inherit(FORWARD.steps, [first]))
        second = replace(upto("keystone.quiesce.stop@ks3", rest), id="r2")

        found = {step.id: step for step in undo_steps([second, first], under="r2", accept_loss=frozenset())}

        order = list(found)
        assert all(order.index(each) < order.index(step.id) for step in found.values() for each in step.after)
        kinds = {step.id: step.kind for step in found.values() if step.kind in {"restore", "config_files"}}
        late = [found[each] for each in found if each == f"back.keystone.quiesce.stop@{away}"]
        assert "restore" not in kinds.values() or all(kinds.keys() <= ancestors(step, found) for step in late)


def test_a_step_that_moved_several_databases_has_all_of_them_restored():
    moved = "keystone.migrate.schema-sync.main.2023.1@ks1"
    steps = tuple(_also(step, "api", "cell0") if step.id == moved else step for step in FORWARD.steps)
    of = replace(FORWARD, steps=steps)
    assert plan_from_json(plan_to_json(of)) == of
    found = back(upto(moved, of))

    restores = [step for step in found.values() if step.kind == "restore"]
    assert [(step.id.removeprefix(f"back.{moved}"), step.args["database"]) for step in restores] == [
        (".1", "cell0"),
        (".2", "api"),
        ("", "main"),
    ]
    assert all(each.id in ancestors(found["back.keystone.quiesce.stop@ks1"], found) for each in restores)


def _also(step: Step, *databases: str) -> Step:
    assert step.undo is not None
    others = tuple(Undo("restore", {**step.undo.args, "database": name}, f"restore {name}") for name in databases)
    return replace(step, undo=replace(step.undo, also=others))


def test_after_the_seal_a_restore_waits_for_the_proof_that_nothing_was_written():
    found = back(upto("keystone.roll.start@ks1"))

    proof = found["back.unchanged.keystone.main"]
    restore = found["back.keystone.migrate.schema-sync.main.2023.1@ks1"]
    assert proof.args["fingerprint"] == "f1"
    assert "back.keystone.roll.start@ks1" in ancestors(proof, found)  # the canary is stopped first
    assert proof.id in restore.after
    assert restore.args["keep_present"] is True


def test_an_accepted_loss_needs_no_proof_but_keeps_the_present():
    found = back(upto("keystone.roll.start@ks1"), accept=frozenset({"keystone"}))

    assert not any(step.kind == "unchanged" for step in found.values())
    assert found["back.keystone.migrate.schema-sync.main.2023.1@ks1"].args["keep_present"] is True


def test_a_finished_run_is_asked_for_writes_and_dumps_before_anything_is_stopped():
    found = back(run(len(FORWARD.steps)), same_run=False)

    first = [step for step in found.values() if not step.after]
    assert [(step.kind, step.phase) for step in first] == [
        ("read_back", Phase.PREFLIGHT),
        ("space", Phase.PREFLIGHT),
        ("unchanged", Phase.PREFLIGHT),
    ]
    assert first[0].args["run"] == "r1"
    for step in found.values():
        if step.kind == "units":
            assert {each.id for each in first} <= ancestors(step, found)
    assert found["back.keystone.migrate.schema-sync.main.2023.1@ks1"].args["run"] == "r1"
    assert found["back.keystone.roll.configure.2026.1@ks2"].args["restore_from"] == "r1"


def test_a_rolling_leg_gives_back_code_and_leaves_the_expanded_schema():
    of = plan(release="2023.1", procedure="zero-downtime", policy="supported")
    found = back(upto("keystone.roll.verify.token@ks1", of))

    assert not any(step.kind == "restore" for step in found.values())
    order = ["start", "configure.2023.1", "install", "stop"]
    for earlier, later in pairwise(order):
        assert f"back.keystone.roll.{earlier}@ks1" in ancestors(found[f"back.keystone.roll.{later}@ks1"], found)


@given(st.integers(0, len(FORWARD.steps)), st.booleans())
def test_whatever_was_begun_the_way_back_is_an_order_that_can_be_carried_out(count: int, same_run: bool):
    of = run(count)
    found = undo_steps([of], under=of.id if same_run else "r2", accept_loss=frozenset())

    by_id = {step.id: step for step in found}
    assert len(by_id) == len(found)
    for step in found:
        assert set(step.after) <= by_id.keys()
        assert step.id not in ancestors(step, by_id)
        assert step.undo is None
    starts = [step for step in found if step.title.startswith("start")]
    for restore in (step for step in found if step.kind == "restore"):
        assert all(restore.id in ancestors(start, by_id) for start in starts)
        proofs = {step.id for step in found if step.kind in {"read_back", "space", "unchanged"}}
        assert proofs <= ancestors(restore, by_id)
