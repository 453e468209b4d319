"""Which run's dump is restored, tried and made, where a leg was gone by several runs; from literals."""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.domain.outcome import Done, Failed, Outcome
from reconciler.domain.plan import Json, Plan, Step, Undo
from reconciler.domain.procedure import Phase
from reconciler.domain.run import Attempt, Run
from reconciler.planning.backup_sets import dumps_of
from reconciler.planning.inherit import inherit
from reconciler.planning.way_back import undo_steps

AT = datetime(2026, 1, 2, tzinfo=UTC)
DIGEST = "a" * 64


def about(service: str) -> dict[str, Json]:
    return {"service": service, "database": "main", "engine": "sqlite", "dir": "/b", "path": f"/{service}"}


def step(
    kind: str, service: str, phase: Phase = Phase.BACKUP, *, python: str = "/usr/bin/python3", hop: str = ""
) -> Step:
    args = {**about(service), "python": python}
    undo = Undo("restore", {**args, "run": ""}, "restore") if kind == "schema_sync" else None
    return Step(
        id=f"{service}.{kind}{hop}", kind=kind, phase=phase, service=service, title=kind, host="h", args=args, undo=undo
    )


def run(id_: str, *steps: Step, **outcomes: Outcome) -> Run:
    """Return a run whose steps are done, but for those of kinds that ended otherwise."""
    done = Done({"manifest": DIGEST})
    attempts = {each.id: (Attempt(1, AT, 1, outcomes.get(each.kind, done), AT),) for each in steps}
    plan = Plan(id=id_, group="g", inputs="i", services=(), steps=steps)
    return Run(id=id_, plan=plan, started_at=AT, attempts=attempts)


FIRST = run("r1", step("backup", "a"), step("backup", "b"), step("restore_check", "a"))


def restores(*runs: Run, under: str) -> list[tuple[str, object, object]]:
    found = undo_steps(runs, under=under, accept_loss=frozenset())
    return [(each.service, each.args["run"], each.args["manifest"]) for each in found if each.kind == "restore"]


def test_the_first_dump_of_a_leg_is_the_one_that_counts():
    again = run("r2", step("backup", "a"))
    assert {key: dump.run for key, dump in dumps_of([again, FIRST]).items()} == {
        ("a", "main"): "r1",
        ("b", "main"): "r1",
    }


def test_a_dump_that_failed_is_none():
    assert dumps_of([run("r1", step("backup", "a"), backup=Failed("StepFailed", "no space"))]) == {}


def test_a_restore_names_the_manifest_that_the_journal_knows():
    own = run("r1", step("backup", "a"), step("schema_sync", "a", Phase.MIGRATE))
    assert restores(own, under="r1") == [("a", "", DIGEST)]
    assert restores(own, under="") == [("a", "r1", DIGEST)]


def test_a_database_that_only_a_later_run_has_moved_is_restored_from_the_run_that_dumped_it():
    later = run("r2", step("schema_sync", "b", Phase.MIGRATE))
    assert restores(later, FIRST, under="r2") == [("b", "r1", DIGEST)]


def test_hops_whose_builds_have_other_interpreters_are_taken_back_by_one_restore():
    hops = [step("schema_sync", "a", Phase.MIGRATE, python=f"/usr/bin/python3.{n}", hop=str(n)) for n in (8, 10)]
    assert restores(run("r1", step("backup", "a"), *hops), under="r1") == [("a", "", DIGEST)]


def test_a_plan_that_takes_over_makes_and_tries_no_dump_anew():
    kept = inherit((step("backup", "a"), step("restore_check", "a"), step("restore_check", "b")), [FIRST])
    assert [(each.id, each.args["run"], each.args["manifest"]) for each in kept] == [("b.restore_check", "r1", DIGEST)]
