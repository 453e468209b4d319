"""Backup and restore of a SQLite database by their real scripts."""

import hashlib
import json
import sqlite3
import stat

import pytest
from pydantic import ValidationError

from reconciler.domain.outcome import Done, Failed
from reconciler.domain.reasons import Reason
from reconciler.steps import Evidence, backup, read_back, restore, space


@pytest.fixture
def db(sandbox):
    (sandbox.root / "data").mkdir()
    return sandbox.root / "data" / "keystone.db"


def write(db, *statements):
    with sqlite3.connect(db) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def rows(db):
    connection = sqlite3.connect(db)
    found = sorted(connection.execute("SELECT name FROM project"))
    connection.close()
    return [name for (name,) in found]


@pytest.fixture
def act(sandbox, db):
    def run(kind, current="run-1", **more):
        sandbox.run_id = current
        args = {"service": "keystone", "database": "main", "engine": "sqlite", "path": str(db)}
        args |= {"dir": str(sandbox.root / "backups"), **more}
        exited = sandbox.run(kind.effect(kind.Model.model_validate(args)))
        return kind.judge(kind.Model.model_validate(args), Evidence(exited))

    return run


def test_a_dump_is_complete_private_and_read_back(sandbox, db, act):
    write(db, "CREATE TABLE project (name TEXT)", "INSERT INTO project VALUES ('a')")
    done = act(backup)
    path = sandbox.root / "backups/run-1/keystone.main.sqlite"
    assert isinstance(done, Done), done
    assert done.values == {
        "path": str(path),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "bytes": str(path.stat().st_size),
        "trust": "read_back",
        "manifest": hashlib.sha256(path.with_suffix(".sqlite.json").read_bytes()).hexdigest(),
    }
    assert rows(path) == ["a"]
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert sorted(one.name for one in path.parent.iterdir()) == [
        path.name,
        f"{path.name}.json",
        f"{path.name}.sha256",
    ]


def test_a_manifest_tells_what_the_dump_holds(sandbox, db, act):
    write(
        db,
        "CREATE TABLE project (name TEXT)",
        """CREATE TABLE "o""dd" (x INTEGER)""",
        "CREATE TABLE alembic_version (version_num TEXT)",
        "INSERT INTO project VALUES ('a'), ('b')",
        "INSERT INTO alembic_version VALUES ('abc')",
    )
    done = act(backup)
    told = json.loads((sandbox.root / "backups/run-1/keystone.main.sqlite.json").read_text())
    assert told["rows"] == {"alembic_version": 1, 'o"dd': 0, "project": 2}
    assert (told["dump"], told["run"], told["place"]) == ("keystone.main.sqlite", "run-1", str(db))
    assert (told["marker"], told["sha256"], told["written"]) == ("alembic abc", done.values["sha256"], {})
    assert told["began"] <= told["ended"]
    assert told["bytes"] == int(done.values["bytes"])


@pytest.mark.parametrize("spoil", ["gone", "other", "of another dump", "said to be absent"])
def test_a_dump_without_the_manifest_of_the_journal_is_never_restored(sandbox, db, act, spoil):
    write(db, "CREATE TABLE project (name TEXT)", "INSERT INTO project VALUES ('a')")
    known = act(backup).values["manifest"]
    assert isinstance(act(read_back, manifest=known), Done)
    path = sandbox.root / "backups/run-1/keystone.main.sqlite"
    if spoil == "gone":
        path.with_suffix(".sqlite.json").unlink()
    elif spoil == "other":
        path.with_suffix(".sqlite.json").write_text("{}")
    elif spoil == "said to be absent":
        path.with_suffix(".absent").touch()
    else:
        write(path, "INSERT INTO project VALUES ('b')")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        path.with_suffix(".sqlite.sha256").write_text(f"{digest}  {path.name}\n")
    write(db, "INSERT INTO project VALUES ('now')")
    for kind in (read_back, restore):
        failed = act(kind, manifest=known)
        assert isinstance(failed, Failed)
        assert failed.reason == Reason.BACKUP_UNREADABLE
    assert rows(db) == ["a", "now"]


def test_what_lies_in_the_write_ahead_log_is_dumped_too(sandbox, db, act):
    connection = sqlite3.connect(db)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE project (name TEXT)")
    connection.execute("INSERT INTO project VALUES ('a')")
    connection.commit()
    assert isinstance(act(backup), Done)
    connection.close()
    assert rows(sandbox.root / "backups/run-1/keystone.main.sqlite") == ["a"]


def test_a_second_attempt_keeps_the_first_dump(sandbox, db, act):
    write(db, "CREATE TABLE project (name TEXT)", "INSERT INTO project VALUES ('a')")
    first = act(backup)
    write(db, "INSERT INTO project VALUES ('migrated')")
    assert act(backup).values == first.values
    assert rows(sandbox.root / "backups/run-1/keystone.main.sqlite") == ["a"]


def test_a_restore_brings_everything_back_and_keeps_the_present(sandbox, db, act):
    write(db, "CREATE TABLE project (name TEXT)", "INSERT INTO project VALUES ('a')")
    db.chmod(0o640)
    before = hashlib.sha256("".join(sqlite3.connect(db).iterdump()).encode()).hexdigest()
    assert isinstance(act(backup), Done)
    write(db, "INSERT INTO project VALUES ('b')", "CREATE TABLE other (x)")
    (db.parent / "keystone.db-journal").write_bytes(b"stale")
    for _ in range(2):
        done = act(restore, current="run-2", run="run-1")
        assert isinstance(done, Done), done
        assert hashlib.sha256("".join(sqlite3.connect(db).iterdump()).encode()).hexdigest() == before
        assert stat.S_IMODE(db.stat().st_mode) == 0o640
        assert [one.name for one in db.parent.iterdir()] == ["keystone.db"]
        assert rows(done.values["present"]) == ["a", "b"]
    assert done.values["present"] == str(sandbox.root / "backups/run-2/keystone.main.present.sqlite")


def test_a_savepoint_lies_beside_the_set_of_the_start(sandbox, db, act):
    write(db, "CREATE TABLE project (name TEXT)", "INSERT INTO project VALUES ('a')")
    assert isinstance(act(backup), Done)
    write(db, "INSERT INTO project VALUES ('b')")
    assert isinstance(act(backup, database="main@2023.1"), Done)
    write(db, "INSERT INTO project VALUES ('c')")

    assert isinstance(act(restore, current="run-2", run="run-1", database="main@2023.1"), Done)
    assert rows(db) == ["a", "b"]
    assert isinstance(act(restore, current="run-2", run="run-1"), Done)
    assert rows(db) == ["a"]


def test_a_dump_is_read_back_again_without_its_database(sandbox, db, act):
    write(db, "CREATE TABLE project (name TEXT)")
    done = act(backup)
    db.unlink()
    again = act(read_back, current="run-2", run="run-1")
    assert isinstance(again, Done), again
    assert again.values == {name: done.values[name] for name in ("path", "sha256")}


def test_a_database_that_was_absent_is_absent_again(sandbox, db, act):
    assert act(backup).values == {"absent": "yes"}
    write(db, "CREATE TABLE project (name TEXT)")
    assert act(backup).values == {"absent": "yes"}
    assert act(read_back).values == {"absent": "yes"}
    assert act(restore, keep_present=False).values == {"absent": "yes"}
    assert not db.exists()


def test_a_damaged_dump_is_never_restored_nor_overwritten(sandbox, db, act):
    write(db, "CREATE TABLE project (name TEXT)", "INSERT INTO project VALUES ('a')")
    assert isinstance(act(backup), Done)
    path = sandbox.root / "backups/run-1/keystone.main.sqlite"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    write(db, "INSERT INTO project VALUES ('b')")
    for kind in (restore, backup, read_back):
        failed = act(kind)
        assert isinstance(failed, Failed)
        assert failed.reason == Reason.BACKUP_UNREADABLE
    assert rows(db) == ["a", "b"]


def test_a_missing_dump_is_said(sandbox, db, act):
    write(db, "CREATE TABLE project (name TEXT)")
    for kind in (restore, read_back):
        failed = act(kind, run="run-9")
        assert isinstance(failed, Failed)
        assert "is not there" in failed.text


def test_a_file_that_is_no_database_fails_without_a_traceback(sandbox, db, act):
    db.write_text("hello, I am a text file of some length, longer than a header of SQLite needs to be" * 50)
    failed = act(backup)
    assert isinstance(failed, Failed)
    assert "Traceback" not in failed.text
    assert not list((sandbox.root / "backups/run-1").glob("*.sqlite"))


def test_without_space_nothing_is_written(sandbox, db, act):
    with db.open("wb") as file:
        file.truncate(1 << 43)
    for kind in (space, backup):
        failed = act(kind)
        assert isinstance(failed, Failed)
        assert failed.reason == Reason.NO_SPACE
        assert "with a fifth to spare" in failed.text
    assert not list((sandbox.root / "backups/run-1").glob("*.sqlite*"))


def test_space_is_asked_for_all_databases_of_a_run(sandbox, db, act):
    folder = sandbox.root / "backups/run-1"
    with db.open("wb") as file:
        file.truncate(1 << 21)
    done = act(space)
    assert isinstance(done, Done), done
    assert int(done.values["free"]) > int(done.values["wanted"]) > 2048 * 6 // 5
    free = int(done.values["free"])
    (folder / "nova.api.need").write_text(f"{free}\n")
    failed = act(space)
    assert isinstance(failed, Failed)
    assert f"keystone.main has 2049 KiB of data, others of this run {free} KiB" in failed.text


def test_a_database_that_is_not_there_wants_no_space(act):
    assert act(space).values == {"absent": "yes"}


@pytest.mark.parametrize(
    "bad",
    [
        {"path": "x.db"},
        {"service": "../x"},
        {"database": "a b"},
        {"dir": "backups"},
        {"engine": "postgres"},
        {"engine": "mariadb"},
        {"engine": "mariadb", "dbname": "a'b"},
        {"engine": "mariadb", "dbname": "k", "host": "--x"},
    ],
)
def test_bad_arguments_are_refused(bad):
    good = {"service": "k", "database": "main", "engine": "sqlite", "path": "/x.db", "dir": "/b"}
    backup.Model.model_validate(good)
    with pytest.raises(ValidationError):
        backup.Model.model_validate({**good, **bad})
