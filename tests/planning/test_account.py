"""What is told of a step."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.domain.plan import Undo
from reconciler.planning.account import LATER, account_of
from tests.planning.graphs import step
from tests.planning.test_plan import plan

STEPS = {each.id.removeprefix("keystone."): each for each in plan(release="2026.1").steps}


def test_a_command_says_what_runs_where_and_which_exit_codes_mean_done():
    told = account_of(step("roll.run@a", args={"argv": ["mv", "a b", "c"], "ok": [0, 2]}))

    assert (told.where, told.runs, told.proved_by) == ("host", ("mv 'a b' c",), ("exit code 0 or 2",))
    assert (told.undone_by, told.undo_runs) == ("", ())


def test_a_schema_step_names_the_version_that_is_read_back_and_its_restore():
    told = account_of(STEPS["migrate.schema-sync.main.2023.1@ks1"])

    assert told.runs == ("/srv/keystone/2023.1/bin/keystone-manage --config-file /etc/keystone/keystone.conf db_sync",)
    assert "29e87d24a316" in told.proved_by[0]
    assert told.undone_by == "restore database main"
    assert told.undo_runs[-1].startswith("gzip -dc /var/backups/reconciler/")


def test_what_is_only_asked_is_asked_by_the_daemon():
    assert account_of(STEPS["roll.verify-build@ks1"]).where == "daemon"
    assert account_of(STEPS["migrate.seal.main"]).where == "daemon"


def test_an_undo_of_several_steps_tells_them_all():
    also = Undo("command", {"argv": ["chown", "-R", "nova"]}, "give it back")
    undo = Undo("command", {"argv": ["true"]}, "start", also=(also,))

    told = account_of(replace(STEPS["quiesce.stop@ks1"], undo=undo))

    assert told.undone_by == "give it back, then start"
    assert told.undo_runs == ("chown -R nova", "true")


def test_arguments_that_are_still_to_come_and_kinds_of_another_version_are_no_error():
    assert account_of(step("roll.run@a", args={})).runs == (LATER,)
    assert account_of(step("roll.run@a", kind="of-tomorrow")).runs == (LATER,)
    assert account_of(step("roll.run", kind="of-tomorrow")).where == "daemon"


@pytest.mark.parametrize("step_id", STEPS)
def test_every_step_of_a_real_plan_is_told(step_id: str):
    told = account_of(STEPS[step_id])

    assert told.runs
    assert told.proved_by
    assert all("\n" not in line for line in (*told.runs, *told.proved_by, *told.undo_runs))
