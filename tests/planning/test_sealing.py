"""Which runs may be sealed, from literals; `test_checkpoint` holds that nothing is lost with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from reconciler.domain.plan import ServiceRoute
from reconciler.domain.procedure import Phase
from reconciler.domain.run import History, Run
from reconciler.domain.segment import Keep
from reconciler.planning.sealing import may_go
from tests.planning.test_kept import AT, planned, run, step

LONG_AGO = AT + timedelta(days=400)


def gone(*runs: Run, runs_kept: int = 0, days: int = 0, hosts: tuple[str, ...] = ("h",)) -> set[str]:
    return {*may_go(History(runs=runs), Keep(runs=runs_kept, days=days), hosts, LONG_AGO)}


def refresh(id_: str, *steps: object, day: int = 0) -> Run:
    same = ServiceRoute(service="k", start="new", goal="new", route=("new",))
    return planned(run(id_, *steps, day=day), services=(same,))


def contract(id_: str, day: int = 0) -> Run:
    return run(id_, replace(step("schema_sync", phase=Phase.CONTRACT), point_of_no_return=True), day=day)


def test_old_refreshes_go_and_the_newest_word_stays():
    assert gone(*(refresh(f"r{n}") for n in range(5))) == {"r0", "r1", "r2", "r3"}


def test_policy_keeps_the_newest_and_the_young():
    runs = [refresh(f"r{n}", day=n) for n in range(5)]

    assert gone(*runs, runs_kept=3) == {"r0", "r1"}
    assert gone(*runs, days=398) == {"r0", "r1"}


def test_every_run_on_a_way_back_stays():
    assert gone(run("r0"), refresh("r1"), run("r2"), refresh("r3")) == set()


def test_what_lies_behind_a_point_of_no_return_goes_and_the_point_stays():
    assert gone(run("r0"), contract("r1"), refresh("r2"), refresh("r3")) == {"r0", "r2"}


def test_what_was_undone_goes_with_what_undid_it():
    back = planned(run("r1"), direction="back", undoes="r0")

    assert gone(run("r0"), back, contract("r2"), refresh("r3")) == {"r0", "r1"}
    assert gone(run("r0", step("backup")), back, contract("r2"), refresh("r3")) == set()


def test_a_run_stays_as_long_as_the_files_of_its_backup_set():
    made = run("r0", step("backup"))
    removal = run("r1", step("prune_backups"), left={"prune_backups": {"removed": "r0"}})

    assert gone(made, contract("r1"), refresh("r2")) == set()
    assert gone(made, removal, contract("r2"), refresh("r3")) == {"r0", "r1"}


def test_a_host_of_the_fleet_keeps_the_run_that_last_proved_its_build():
    proved = refresh("r0", step("verify_host", phase=Phase.ROLL, host="h"))

    assert gone(proved, refresh("r1"), refresh("r2"), hosts=("h",)) == {"r1"}
    assert gone(proved, refresh("r1"), refresh("r2"), hosts=()) == {"r0", "r1"}


def test_an_abandoned_run_stays_where_it_walls_off_what_stays():
    wall = run("r1", ended="abandoned")

    assert gone(run("r0", step("backup")), wall, refresh("r2")) == set()
    assert gone(run("r0"), wall, refresh("r2")) == {"r0", "r1"}
