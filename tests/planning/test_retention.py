"""Which backup sets may go: properties, and what a step is told when it begins."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.backup import BackupPolicy, BackupSet, Copy, Need, SetKind
from reconciler.domain.plan import Json, Step
from reconciler.domain.procedure import Phase
from reconciler.domain.run import History
from reconciler.planning.retention import MOST_FILES, due, forgettable, pruning, with_files
from reconciler.steps import prune_backups
from tests.planning.test_kept import VALUES, run
from tests.planning.test_kept import step as kept_step

AT = datetime(2026, 1, 2, tzinfo=UTC)
NOW = AT + timedelta(days=100)


def dump(run: str, age: int, need: Need = Need.NONE, kind: SetKind = SetKind.DUMP) -> BackupSet:
    copies = (Copy(host="h", database="main", path=f"/b/{run}/k.main.sql.gz"),)
    made = NOW - timedelta(days=age)
    return BackupSet(service="k", run=run, release="r", kind=kind, made_at=made, copies=copies, need=need)


def runs(*sets: BackupSet, keep: int | None = None, keep_days: int | None = None) -> list[str]:
    return [each.run for each in due(sets, BackupPolicy(keep=keep, keep_days=keep_days), NOW)]


OLD, OLDER, OLDEST = dump("r3", 10), dump("r2", 20), dump("r1", 30)


def test_without_a_policy_everything_is_kept():
    assert runs(OLD, OLDER, OLDEST) == []


def test_the_newest_are_kept_by_their_number():
    assert runs(OLDEST, OLD, OLDER, keep=1) == ["r2", "r1"]
    assert runs(OLDEST, OLD, OLDER, keep=3) == []


def test_the_young_are_kept_by_their_age_and_the_newest_at_any():
    assert runs(OLDEST, OLD, OLDER, keep_days=20) == ["r1"]
    assert runs(OLDEST, OLD, OLDER, keep_days=1) == ["r2", "r1"]


def test_what_either_rule_keeps_is_kept():
    assert runs(OLDEST, OLD, OLDER, keep=1, keep_days=25) == ["r1"]
    assert runs(OLDEST, OLD, OLDER, keep=2, keep_days=1) == ["r1"]


def test_the_way_back_of_a_leg_is_kept():
    assert runs(OLD, OLDER, replace(OLDEST, need=Need.LAST_LEG), keep=1) == ["r2"]


def test_what_was_removed_or_is_no_file_is_left_alone():
    node = replace(OLDEST, kind=SetKind.HELD_NODE)
    assert runs(OLD, replace(OLDER, removed_at=NOW), node, keep=1) == []


def test_a_run_keeps_all_its_files_or_none():
    present = dump("r1", 29, kind=SetKind.PRESENT)
    assert runs(OLD, OLDER, OLDEST, present, keep=1) == ["r2"]  # the only one of the present is its newest
    assert runs(OLD, OLDER, OLDEST, present, dump("r4", 5, kind=SetKind.PRESENT), keep=1) == ["r2", "r1", "r1"]


def test_a_rehearsal_crowds_out_no_set():
    assert runs(OLD, dump("r4", 1, kind=SetKind.REHEARSAL), keep=1) == []
    assert runs(dump("r4", 1, kind=SetKind.REHEARSAL), dump("r5", 2, kind=SetKind.REHEARSAL), keep=1) == ["r5"]


sets = st.lists(
    st.builds(
        dump,
        run=st.sampled_from([f"r{n}" for n in range(6)]),
        age=st.integers(0, 60),
        need=st.sampled_from([Need.NONE, Need.NONE, Need.OPEN_LEG, Need.LAST_LEG]),
        kind=st.sampled_from(list(SetKind)),
    ),
    max_size=12,
)
limits = st.none() | st.integers(1, 50)


@given(sets, limits, limits)
def test_nothing_goes_that_a_rule_keeps(found: list[BackupSet], keep: int | None, keep_days: int | None):
    gone = due(found, BackupPolicy(keep=keep, keep_days=keep_days), NOW)

    left = [each for each in found if each.run not in {one.run for one in gone}]
    files = {SetKind.DUMP, SetKind.PRESENT, SetKind.REHEARSAL}
    needed = {each.run for each in found if each.need and each.kind in files}
    assert not needed & {each.run for each in gone}
    for kind in files:
        newest_first = sorted((e for e in found if e.kind is kind), key=lambda e: e.made_at, reverse=True)
        assert {each.run for each in newest_first[:1]} <= {each.run for each in left}
        assert {each.run for each in newest_first[: keep or 0]} <= {each.run for each in left}
    assert all(keep_days is None or NOW - each.made_at > timedelta(days=keep_days) for each in gone)
    assert gone == () or keep is not None or keep_days is not None


@given(st.integers(1, 8), st.integers(1, 8))
def test_of_sets_that_nobody_needs_just_so_many_stay(count: int, keep: int):
    found = [dump(f"r{n}", n) for n in range(count)]
    assert len(due(found, BackupPolicy(keep=keep), NOW)) == max(0, count - keep)


def prune(history: History, **args: Json) -> Json:
    step = Step(
        id="k.finish.prune-backups@h",
        kind="prune_backups",
        phase=Phase.FINISH,
        service="k",
        title="prune",
        host="h",
        args={"service": "k", "dir": "/b", "keep": 1, **args},
    )
    return with_files(step, history, NOW).args["files"]


def legs(count: int, **left: str) -> History:
    """Return the legs that a service has gone, a day each; each has dumped its database."""
    numbers = range(1, count + 1)
    values = {n: {**VALUES, "path": f"/b/r{n}/k.main.sql.gz", **left} for n in numbers}
    return History(runs=tuple(run(f"r{n}", kept_step("backup"), day=n, left={"backup": values[n]}) for n in numbers))


def test_a_step_is_told_the_files_when_it_begins():
    assert prune(legs(3)) == ["r2/k.main.sql.gz", "r1/k.main.sql.gz"]
    assert prune(legs(3), keep=2) == ["r1/k.main.sql.gz"]


def test_the_note_of_a_missing_database_goes_too():
    assert prune(legs(2, path="", absent="yes")) == ["r1/k.main.absent"]


def test_what_lies_elsewhere_or_under_a_name_that_is_not_ours_stays():
    assert prune(legs(2, path="/b/r9/k.main.sql.gz")) == []
    assert prune(legs(2, path="/etc/passwd")) == []
    assert prune(legs(2), dir="/elsewhere") == []
    other = run("r0", kept_step("backup", host="other"), left={"backup": {**VALUES, "path": "/b/r0/k.main.sql.gz"}})
    assert prune(History(runs=(other, *legs(1).runs))) == []


def test_what_was_removed_is_not_removed_again():
    history = legs(3)
    step = kept_step("prune_backups", "", Phase.FINISH)
    done = run("r4", step, day=4, left={"prune_backups": {"removed": "r1", "freed": "7"}})
    assert prune(replace(history, runs=(*history.runs, done))) == ["r2/k.main.sql.gz"]


def test_one_step_removes_no_more_than_it_can_name():
    found = prune(legs(MOST_FILES + 5))
    assert isinstance(found, list)
    assert len(found) == MOST_FILES


def test_a_step_is_planned_only_where_policy_removes_anything():
    assert pruning("k", "/b", BackupPolicy()) is None
    draft = pruning("k", "/b", BackupPolicy(keep=3, keep_days=30))
    assert draft is not None
    assert draft.title == "remove backup sets older than the 3 newest sets of k and than 30 days"
    assert draft.advisory
    assert prune_backups.Model.model_validate(draft.args).files == ()


# ---------------------------------------------------------------- step folders on hosts


def test_hosts_forget_what_is_old_or_sealed_and_nothing_that_is_not():
    known = (run(f"p-{number}", ended="" if number == 12 else "done") for number in range(11, 41))
    history = History(runs=tuple(known), sealed=10)

    found = forgettable(["p-1", "other-10", "p-11", "p-12", "p-20", "p-21", "p-40", "p-41", "p", "p-x"], history)

    assert found == ("p-1", "other-10", "p-11", "p-20")
