"""A dump restored on trial, by the real scripts, into a real MariaDB and as a file of SQLite."""

import gzip
import hashlib
import json
import sqlite3

import pytest

from reconciler.domain.outcome import Done, Failed
from reconciler.domain.reasons import Reason
from reconciler.steps import Evidence, backup, restore_check
from tests.support.mariadb import shared

SCRATCH = "reconciler\\_%"


def signed(path, content):
    """Write a dump anew, as one who covers all traces but those in the journal."""
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    path.with_name(f"{path.name}.sha256").write_text(f"{digest}  {path.name}\n")


@pytest.fixture
def acting(sandbox):
    def acting(args, secrets):
        def run(kind, current="run-1", **more):
            sandbox.run_id = current
            model = kind.Model.model_validate({**args, **more})
            return kind.judge(model, Evidence(sandbox.run(kind.effect(model), secrets)))

        return run

    return acting


class OfMariadb:
    """A database whose account may make scratch ones."""

    ending = "sql.gz"

    def __init__(self, name):
        self.server, self.name = shared(), name
        self.server.run(
            f"CREATE DATABASE {name} CHARACTER SET latin1",
            f"CREATE USER {name}@127.0.0.1 IDENTIFIED BY 'pw'",
            f"GRANT ALL ON {name}.* TO {name}@127.0.0.1",
            f"GRANT ALL ON `{SCRATCH}`.* TO {name}@127.0.0.1",
        )
        self.server.run(
            "CREATE TABLE project (id INT PRIMARY KEY, name VARCHAR(64) DEFAULT 'x', KEY named (name))",
            'CREATE TABLE `o"d``d` (id INT, project_id INT, CONSTRAINT one FOREIGN KEY (project_id) REFERENCES project (id))',
            "INSERT INTO project VALUES (1, 'a'), (2, NULL)",
            f"CREATE DEFINER = {name}@127.0.0.1 VIEW names AS SELECT name FROM project",  # noqa: S608
            f"CREATE DEFINER = {name}@127.0.0.1 EVENT soon ON SCHEDULE EVERY 1 SECOND DO DELETE FROM project",  # noqa: S608
            dbname=name,
        )
        self.args = {"host": "127.0.0.1", "port": self.server.port, "user": name, "dbname": name}
        self.args |= {"engine": "mariadb", "password": {"kind": "env", "origin": "X"}}

    def scratch(self):
        return self.server.rows(f"SHOW DATABASES LIKE '{SCRATCH}'")

    def rows(self):
        return len(self.server.rows(f"SELECT * FROM {self.name}.project"))  # noqa: S608

    def spoiled(self, content):
        return gzip.compress(gzip.decompress(content).replace(b"(1,'a')", b"(1,'a'),(3,'b')"))

    def bent(self, content):
        return gzip.compress(gzip.decompress(content).replace(b"KEY `named` (`name`)", b"KEY `other` (`name`)"))

    def close(self):
        self.server.run(f"DROP DATABASE {self.name}", f"DROP USER {self.name}@127.0.0.1")


class OfSqlite:
    """A database in a file."""

    ending = "sqlite"

    def __init__(self, folder):
        self.path = folder / "k.db"
        self.folder = folder
        with sqlite3.connect(self.path) as connection:
            connection.execute("CREATE TABLE project (id INTEGER, name TEXT)")
            connection.execute("INSERT INTO project VALUES (1, 'a'), (2, NULL)")
        connection.close()
        self.args = {"engine": "sqlite", "path": str(self.path)}

    def scratch(self):
        return list(self.folder.rglob("*.scratch"))

    def rows(self):
        return self._asked(self.path, "SELECT * FROM project")

    def spoiled(self, content):
        return self._changed(content, "INSERT INTO project VALUES (3, 'b')")

    def bent(self, content):
        return self._changed(content, "CREATE INDEX other ON project (name)")

    def _changed(self, content, statement):
        path = self.folder / "changed"
        path.write_bytes(content)
        self._asked(path, statement)
        return path.read_bytes()

    def _asked(self, path, statement):
        connection = sqlite3.connect(path)
        found = len(connection.execute(statement).fetchall())
        connection.commit()
        connection.close()
        return found

    def close(self):
        pass


@pytest.fixture(params=[pytest.param("mariadb", marks=pytest.mark.integration), "sqlite"])
def db(request, sandbox, tmp_path):
    made = OfSqlite(sandbox.root) if request.param == "sqlite" else OfMariadb(f"t{abs(hash(tmp_path)) % 10**12}")
    yield made
    made.close()


@pytest.fixture
def act(sandbox, db, acting):
    args = {"service": "keystone", "database": "main", "dir": str(sandbox.root / "backups")}
    return acting({**args, **db.args}, {"password": "pw"})


def test_a_dump_is_restored_beside_its_database_and_dropped_again(db, act):
    known = act(backup).values["manifest"]
    for run in ("run-1", "run-2"):
        done = act(restore_check, current=run, run="run-1", manifest=known)
        assert isinstance(done, Done), done
        assert done.values["trust"] == "restored"
        assert done.values["rows"] == "2"
        assert len(db.scratch()) == 0
    assert db.rows() == 2


@pytest.mark.parametrize(("how", "said"), [("spoiled", "rows"), ("bent", "structure")])
def test_what_is_not_as_its_manifest_tells_is_not_trusted(sandbox, db, act, how, said):
    act(backup)
    path = sandbox.root / f"backups/run-1/keystone.main.{db.ending}"
    was = path.read_bytes()
    signed(path, getattr(db, how)(was))
    assert path.read_bytes() != was
    failed = act(restore_check)
    assert isinstance(failed, Failed)
    assert (failed.reason, said in failed.text) == (Reason.BACKUP_UNREADABLE, True)
    assert len(db.scratch()) == 0


def test_a_dump_without_a_manifest_is_not_trusted(sandbox, db, act):
    act(backup)
    (sandbox.root / f"backups/run-1/keystone.main.{db.ending}.json").unlink()
    failed = act(restore_check)
    assert isinstance(failed, Failed)
    assert "no manifest" in failed.text


def test_what_was_written_while_it_was_dumped_is_not_compared(sandbox, db, act):
    act(backup)
    path = sandbox.root / f"backups/run-1/keystone.main.{db.ending}.json"
    told = json.loads(path.read_text())
    told["written"] = {"project": told["rows"].pop("project")}
    path.write_text(json.dumps(told, indent=1).replace("\n  }", "\n }"))
    signed(path.with_suffix(""), db.spoiled(path.with_suffix("").read_bytes()))
    done = act(restore_check)
    assert isinstance(done, Done), done
    assert done.values["rows"] == "3"


@pytest.mark.integration
def test_a_database_of_that_name_that_is_not_ours_is_left_alone(sandbox, tmp_path, acting):
    db = OfMariadb(f"t{abs(hash(tmp_path)) % 10**12}")
    act = acting(
        {"service": "k", "database": "main", "dir": str(sandbox.root / "backups"), **db.args}, {"password": "pw"}
    )
    act(backup)
    name = f"reconciler_{hashlib.sha256(b'run-1 k.main').hexdigest()[:20]}"
    db.server.run(f"CREATE DATABASE {name}", f"CREATE TABLE {name}.precious (x INT)")
    failed = act(restore_check)
    assert isinstance(failed, Failed)
    assert f"database {name} is there already" in failed.text
    assert db.server.rows(f"SHOW TABLES FROM {name}")
    (sandbox.root / "backups/run-1/k.main.scratch").write_text(f"{name}\n")
    assert isinstance(act(restore_check), Done)  # as one finds it that was killed in its midst
    assert not db.scratch()
    db.close()


@pytest.mark.integration
def test_an_account_that_may_make_no_database_is_told_what_it_needs(sandbox, tmp_path, acting):
    db = OfMariadb(f"t{abs(hash(tmp_path)) % 10**12}")
    db.server.run(f"REVOKE ALL ON `{SCRATCH}`.* FROM {db.name}@127.0.0.1")
    act = acting(
        {"service": "k", "database": "main", "dir": str(sandbox.root / "backups"), **db.args}, {"password": "pw"}
    )
    act(backup)
    failed = act(restore_check)
    assert isinstance(failed, Failed)
    assert "GRANT ALL ON `reconciler\\_%`.* TO" in failed.text
    db.close()
