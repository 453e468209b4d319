"""Loading a dump into a new database, and emptying it again: SQLite and a real MariaDB, by their real scripts."""

import pytest

from reconciler.domain.outcome import Done, Failed
from reconciler.domain.reasons import Reason
from reconciler.steps import Evidence, backup, load
from tests.steps.databases import Mariadb, Sqlite
from tests.support.mariadb import shared

OLD = (
    "CREATE TABLE project (id INTEGER PRIMARY KEY, name VARCHAR(64))",
    "INSERT INTO project VALUES (1, 'zwölf'), (2, 'CREATE TABLE `x`')",
    "CREATE TABLE alembic_version (version_num VARCHAR(32))",
    "INSERT INTO alembic_version VALUES ('29e87d24a316'), ('0abc')",
    "CREATE TABLE migrate_version (repository_id VARCHAR(250), repository_path TEXT, version INTEGER)",
    "INSERT INTO migrate_version VALUES ('keystone', '/srv', 109)",
    "CREATE VIEW names AS SELECT name FROM project",
)


@pytest.fixture(params=[Sqlite, pytest.param(Mariadb, marks=pytest.mark.integration)])
def databases(request, tmp_path):
    made = [request.param(tmp_path, name) for name in ("old", "new")]
    made[0].run(*OLD)
    yield made
    for each in made:
        each.forget()


@pytest.fixture
def act(sandbox):
    def run(kind, database, current="run-1", **more):
        sandbox.run_id = current
        args = {"service": "keystone", "database": "main", "dir": str(sandbox.root / "sets"), **database.args, **more}
        model = kind.Model.model_validate(args)
        return kind.judge(model, Evidence(sandbox.run(kind.effect(model), {"password": shared().password})))

    return run


@pytest.fixture
def dumped(act, databases):
    assert isinstance(act(backup, databases[0]), Done)


@pytest.mark.usefixtures("dumped")
def test_a_dump_makes_a_new_database_that_is_read_back(act, databases):
    _, new = databases
    done = act(load, new)
    assert isinstance(done, Done), done
    assert (done.values["tables"], done.values["marker"].strip()) == (
        "3",
        "alembic 0abc,29e87d24a316 migrate keystone=109",
    )
    assert list(new.run("SELECT name FROM names")) == [("zwölf",), ("CREATE TABLE `x`",)]
    new.run("INSERT INTO project VALUES (3, 'since')")
    assert act(load, new).values["tables"] == "3"
    assert len(new.run("SELECT * FROM project")) == 3


@pytest.mark.usefixtures("dumped")
def test_a_database_that_another_filled_is_left_alone(act, databases):
    _, new = databases
    new.run("CREATE TABLE theirs (id INTEGER)")
    failed = act(load, new)
    assert isinstance(failed, Failed)
    assert "was not loaded by this run" in failed.text
    assert new.tables() == 1
    assert isinstance(act(load, new, take_back=True), Done)
    assert new.tables() == 1


@pytest.mark.usefixtures("dumped")
def test_a_load_that_died_half_way_begins_anew(sandbox, act, databases):
    _, new = databases
    assert isinstance(act(load, new), Done)
    (sandbox.root / "sets/run-1/keystone.main.loaded").unlink()
    new.run("DROP TABLE alembic_version", "CREATE TABLE odd (id INTEGER)")
    done = act(load, new)
    assert isinstance(done, Done), done
    assert done.values["tables"] == "3"


@pytest.mark.usefixtures("dumped")
def test_it_is_emptied_again_and_what_was_written_is_kept(act, databases):
    _, new = databases
    assert isinstance(act(load, new), Done)
    new.run("INSERT INTO project VALUES (3, 'since')")
    back = load.undo(load.Model.model_validate({"service": "keystone", "database": "main", "dir": "/x", **new.args}))
    assert back.args["take_back"] is True
    done = act(load, new, current="run-2", run="run-1", take_back=True)
    assert isinstance(done, Done), done
    assert "run-2/keystone.main.present." in done.values["present"]
    assert new.tables() == 0
    assert "present" not in act(load, new, current="run-2", run="run-1", take_back=True).values
    assert isinstance(act(load, new), Done)


@pytest.mark.usefixtures("dumped")
def test_a_dump_that_was_changed_is_not_loaded(sandbox, act, databases):
    _, new = databases
    for each in (sandbox.root / "sets/run-1").glob("keystone.main.*"):
        if not each.name.endswith("sha256"):
            each.write_bytes(each.read_bytes()[:-9])
    failed = act(load, new)
    assert isinstance(failed, Failed)
    assert failed.reason == Reason.BACKUP_UNREADABLE
    assert new.tables() == 0


def test_a_database_that_the_set_has_as_absent_is_emptied_of_what_a_schema_step_makes(act, databases):
    old, new = databases
    old.forget()
    assert act(backup, old).values == {"absent": "yes"}
    assert act(load, new).values["absent"] == "yes"
    made_and_emptied(act, new)


def test_one_that_is_in_no_set_is_found_empty_and_emptied_again(act, databases):
    _, new = databases
    assert act(load, new, fresh=True).values["absent"] == "yes"
    made_and_emptied(act, new, fresh=True)


def made_and_emptied(act, new, **more):
    new.run("CREATE TABLE cells (id INTEGER)")
    assert isinstance(act(load, new, **more), Done)
    assert new.tables() == 1
    assert isinstance(act(load, new, run="run-1", current="run-2", take_back=True, **more), Done)
    assert new.tables() == 0


def test_one_that_is_not_empty_is_not_taken_for_fresh(act, databases):
    _, new = databases
    new.run("CREATE TABLE theirs (id INTEGER)")
    failed = act(load, new, fresh=True)
    assert isinstance(failed, Failed)
    assert "and not by this run" in failed.text


@pytest.mark.integration
def test_what_mariadb_alone_keeps_rows_in_is_loaded_and_is_not_empty(act, tmp_path):
    old, new = (Mariadb(tmp_path, name) for name in ("old", "new"))
    old.run("CREATE TABLE kept (id INT PRIMARY KEY) WITH SYSTEM VERSIONING", "INSERT INTO kept VALUES (1)")
    old.run("DELETE FROM kept", "CREATE SEQUENCE next")
    assert isinstance(act(backup, old), Done)
    new.run("CREATE SEQUENCE theirs")
    refused = act(load, new)
    assert isinstance(refused, Failed), refused
    assert "is not empty" in refused.text
    new.run("DROP SEQUENCE theirs")
    done = act(load, new)
    assert isinstance(done, Done), done
    assert done.values["tables"] == "2"
    assert len(new.run("SELECT * FROM kept FOR SYSTEM_TIME ALL")) == 1
    for each in (old, new):
        each.forget()
