"""The backup sets that a journal tells of, from literals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.domain.backup import Copy, Need, SetKind, Trust
from reconciler.domain.outcome import Done
from reconciler.domain.plan import Json, Plan, ServiceRoute, Step
from reconciler.domain.procedure import Phase
from reconciler.domain.run import Attempt, History, Run
from reconciler.planning.kept import kept_sets

AT = datetime(2026, 1, 2, tzinfo=UTC)
VALUES = {"path": "/b/r/k.main.sql.gz", "bytes": "7", "trust": "read_back", "sha256": "ab", "manifest": "cd"}


def step(kind: str, database: str = "main", phase: Phase = Phase.BACKUP, host: str = "h", **args: Json) -> Step:
    args = {"database": database, **args}
    id_ = f"k.{phase}.{kind}.{database}@{host}"
    return Step(id=id_, kind=kind, phase=phase, service="k", title=kind, host=host, args=args)


def run(
    id_: str, *steps: Step, day: int = 0, left: Mapping[str, Mapping[str, str]] | None = None, **changes: object
) -> Run:
    """Return a run whose steps are all done, on a day, and what steps of kinds left."""
    at = AT + timedelta(days=day)
    said = {"backup": VALUES, **(left or {})}
    route = ServiceRoute(service="k", start="old", goal="new", route=("old", "new"))
    plan = Plan(id=id_, group="k", inputs="i", services=(route,), steps=steps)
    attempts = {each.id: (Attempt(1, at, 1, Done(said.get(each.kind, {})), at),) for each in steps}
    made = Run(id=id_, plan=plan, started_at=at, attempts=attempts, ended="done", ended_at=at)
    return replace(made, **changes)


def planned(run: Run, **changes: object) -> Run:
    return replace(run, plan=replace(run.plan, **changes))


def needs(*runs: Run) -> dict[str, Need]:
    return {each.run: each.need for each in kept_sets(History(runs=runs))}


def test_a_set_tells_what_its_run_found_and_how_far_that_is_proved():
    (found,) = kept_sets(History(runs=(run("r1", step("backup")),)))

    assert (found.service, found.run, found.release, found.kind) == ("k", "r1", "old", SetKind.DUMP)
    assert (found.made_at, found.bytes, found.trust, found.need) == (AT, 7, Trust.READ_BACK, Need.LAST_LEG)
    assert found.copies[0].path == "/b/r/k.main.sql.gz"
    assert (found.copies[0].sha256, found.copies[0].manifest) == ("ab", "cd")


def test_a_set_is_trusted_as_far_as_the_least_of_its_dumps():
    steps = (step("backup"), step("backup", "api"), step("restore_check", "api"))
    (found,) = kept_sets(History(runs=(run("r1", *steps),)))

    assert [copy.trust for copy in found.copies] == [Trust.READ_BACK, Trust.RESTORED]
    assert found.trust is Trust.READ_BACK


def test_a_dump_that_a_later_run_of_the_leg_tried_is_proved():
    first = run("r1", step("backup"), ended="superseded")
    second = planned(run("r2", step("restore_check"), day=1), inherits="r1")
    (found,) = kept_sets(History(runs=(first, second)))
    assert found.trust is Trust.RESTORED


def test_a_missing_database_is_told_and_has_no_size():
    (found,) = kept_sets(History(runs=(run("r1", step("backup"), left={"backup": {"absent": "yes"}}),)))

    assert found.copies == (Copy(host="h", database="main"),)
    assert (found.copies[0].absent, found.bytes, found.trust) == (True, None, None)


def test_a_dump_of_a_run_that_told_nothing_of_it_is_only_written():
    (found,) = kept_sets(History(runs=(run("r1", step("backup"), left={"backup": {"path": "/p"}}),)))
    assert (found.trust, found.bytes) == (Trust.WRITTEN, None)


def test_the_last_leg_and_every_open_one_need_their_sets():
    old, last = run("r1", step("backup")), run("r2", step("backup"), day=1)
    now = run("r3", step("backup"), day=2, ended="")
    assert needs(old, last) == {"r1": Need.NONE, "r2": Need.LAST_LEG}
    assert needs(old, last, now) == {"r1": Need.NONE, "r2": Need.LAST_LEG, "r3": Need.OPEN_LEG}


def test_a_leg_needs_the_set_of_the_run_that_it_took_over():
    first = run("r1", step("backup"), ended="superseded")
    assert needs(first) == {"r1": Need.OPEN_LEG}
    assert needs(first, planned(run("r2", day=1), inherits="r1")) == {"r1": Need.LAST_LEG}


def test_what_goes_back_needs_the_set_of_what_it_undoes():
    back = planned(run("r2", step("restore"), day=1, ended=""), direction="back", undoes="r1")
    assert needs(run("r1", step("backup")), back)["r1"] is Need.OPEN_LEG


def test_a_leg_that_was_taken_back_needs_nothing_and_has_kept_the_present():
    left = {"restore": {"present": "/b/r1/k.main.present.sql.gz"}}
    undo = step("restore", phase=Phase.BACK_OUT)
    of = run("r1", step("backup"), undo, left=left, back=(undo,), ended="backed_out")
    of = planned(of, steps=of.plan.steps[:1])
    dump, present = sorted(kept_sets(History(runs=(of,))), key=lambda each: each.kind)

    assert (dump.kind, dump.need, present.kind, present.release) == (SetKind.DUMP, Need.NONE, SetKind.PRESENT, "")
    assert present.copies[0].path == "/b/r1/k.main.present.sql.gz"


def test_the_dump_of_a_rehearsal_is_nobodys_way_back():
    tried = planned(run("r1", step("backup")), direction="rehearse", group="rehearsal:k", services=())
    (found,) = kept_sets(History(runs=(tried,)))
    assert (found.kind, found.need, found.trust) == (SetKind.REHEARSAL, Need.NONE, Trust.READ_BACK)


def test_a_node_that_is_held_back_is_a_set_until_it_is_let_in():
    held = run("r1", step("galera", "", host="n3", action="hold", datadir="/d"))
    (found,) = kept_sets(History(runs=(held,)))
    assert (found.kind, found.copies, found.removed_at) == (SetKind.HELD_NODE, (Copy(host="n3", path="/d"),), None)

    again = run("r2", step("galera", "", Phase.FINISH, host="n3", action="rejoin"), day=3)
    assert kept_sets(History(runs=(held, again)))[0].removed_at == AT + timedelta(days=3)


def test_a_deployment_that_was_replaced_is_a_set_until_it_is_retired():
    cut = run("r1", step("dns_update", phase=Phase.CUTOVER))
    route = replace(cut.plan.services[0], onto=("new1",), off=("old1", "old2"))
    cut = planned(cut, services=(route,))
    (found,) = kept_sets(History(runs=(cut,)))
    assert (found.kind, [copy.host for copy in found.copies]) == (SetKind.DEPLOYMENT, ["old1", "old2"])
    assert (found.trust, found.bytes, found.removed_at) == (None, None, None)

    retired = planned(run("r1", *cut.plan.steps, step("command", phase=Phase.RETIRE)), services=(route,))
    assert kept_sets(History(runs=(retired,)))[0].removed_at == AT


@pytest.mark.parametrize("size", ["", "²", "٣", "-1", "1e3", "9" * 5000, "7 "])
def test_a_size_that_a_host_makes_up_is_not_known(size):
    left = {"backup": {**VALUES, "bytes": size}}
    (found,) = kept_sets(History(runs=(run("r1", step("backup"), left=left),)))
    assert found.bytes is None


@pytest.mark.parametrize("trust", ["", "proved", "READ_BACK", "restored "])
def test_a_word_of_trust_that_is_none_proves_nothing(trust):
    left = {"backup": {**VALUES, "trust": trust}}
    (found,) = kept_sets(History(runs=(run("r1", step("backup"), left=left),)))
    assert found.trust is Trust.WRITTEN
