"""Backup and restore of a real MariaDB database by their real scripts."""

import gzip
import hashlib
import json
import shutil
from pathlib import Path

import pymysql
import pytest

from reconciler.domain.outcome import Done, Failed
from reconciler.domain.reasons import Reason
from reconciler.steps import Evidence, backup, read_back, restore, space
from tests.support.mariadb import shared

pytestmark = pytest.mark.integration

ODD_PASSWORD = "a\"b\\c'd#e f$(id)`id`%s;"
FILL = (
    "CREATE TABLE project (id INT PRIMARY KEY, name VARCHAR(64), data BLOB) CHARACTER SET utf8mb4",
    "CREATE TABLE user (id INT PRIMARY KEY, project_id INT, FOREIGN KEY (project_id) REFERENCES project (id))",
    "INSERT INTO project VALUES (1, 'zwölf 🂡', x'00ff0a0d1a27'), (2, 'b\\\\''\\n', NULL)",
    "INSERT INTO user VALUES (1, 2)",
    "CREATE VIEW names AS SELECT name FROM project",
    "CREATE TRIGGER t BEFORE INSERT ON user FOR EACH ROW SET NEW.id = NEW.id + 100",
    "CREATE PROCEDURE p() SELECT 1",
)


class Database:
    def __init__(self, server, user, password, dbname):
        self.server, self.user, self.password, self.dbname = server, user, password, dbname

    def rows(self, statement):
        login = {"host": "127.0.0.1", "port": self.server.port, "user": self.user, "password": self.password}
        with (
            pymysql.connect(**login, database=self.dbname, charset="utf8mb4", autocommit=True) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
            return cursor.fetchall()

    def content(self):
        tables = [name for (name, *_) in self.rows("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'")]
        return {name: self.rows(f"SELECT * FROM `{name}`") for name in sorted(tables)}  # noqa: S608

    def charset(self):
        return self.rows("SELECT @@character_set_database, @@collation_database")


@pytest.fixture
def db(tmp_path):
    server = shared()
    dbname = f"steps_{abs(hash(tmp_path))}"
    user = f"u{abs(hash(tmp_path)) % 10**12}"
    quoted = ODD_PASSWORD.replace("\\", "\\\\").replace("'", "\\'")
    server.run(
        f"CREATE DATABASE {dbname} CHARACTER SET latin1 COLLATE latin1_german1_ci",
        f"CREATE USER {user}@127.0.0.1 IDENTIFIED BY '{quoted}'",
        f"GRANT ALL ON {dbname}.* TO {user}@127.0.0.1",
    )
    database = Database(server, user, ODD_PASSWORD, dbname)
    for statement in FILL:
        database.rows(statement)
    yield database
    server.run(f"DROP DATABASE IF EXISTS {dbname}", f"DROP USER {user}@127.0.0.1")


@pytest.fixture
def act(sandbox, db):
    def run(kind, current="run-1", password=ODD_PASSWORD, **more):
        sandbox.run_id = current
        args = {"service": "keystone", "database": "main", "engine": "mariadb", "dir": str(sandbox.root / "backups")}
        args |= {"host": "127.0.0.1", "port": db.server.port, "user": db.user, "dbname": db.dbname}
        args |= {"password": {"kind": "env", "origin": "X"}, **more}
        model = kind.Model.model_validate(args)
        return kind.judge(model, Evidence(sandbox.run(kind.effect(model), {"password": password})))

    return run


def test_a_dump_is_read_back_and_kept(sandbox, db, act):
    done = act(backup)
    assert isinstance(done, Done), done
    path = sandbox.root / "backups/run-1/keystone.main.sql.gz"
    assert (done.values["path"], done.values["trust"]) == (str(path), "read_back")
    assert done.values["bytes"] == str(path.stat().st_size)
    assert b"Dump completed" in gzip.decompress(path.read_bytes())
    db.rows("DROP TABLE user")
    assert act(backup).values == done.values
    assert sorted(one.name for one in path.parent.iterdir()) == [
        path.name,
        f"{path.name}.json",
        f"{path.name}.sha256",
    ]


def test_a_manifest_tells_what_the_dump_holds(sandbox, db, act):
    db.rows('CREATE TABLE `o"d``d` (x INT)')
    db.rows("CREATE TABLE alembic_version (version_num VARCHAR(32))")
    db.rows("INSERT INTO alembic_version VALUES ('abc')")
    done = act(backup)
    path = sandbox.root / "backups/run-1/keystone.main.sql.gz.json"
    told = json.loads(path.read_text())
    assert told["rows"] == {"alembic_version": 1, 'o"d`d': 0, "project": 2, "user": 1}
    assert (told["dump"], told["run"]) == ("keystone.main.sql.gz", "run-1")
    assert told["place"] == f"{db.dbname} at 127.0.0.1:{db.server.port}"
    assert (told["marker"].strip(), told["sha256"], told["written"]) == ("alembic abc", done.values["sha256"], {})
    assert (told["bytes"], told["binlog"]) == (int(done.values["bytes"]), {"from": "", "to": ""})
    assert told["data_bytes"] > 0
    assert told["began"] <= told["ended"]
    assert done.values["manifest"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_manifest_tells_where_the_server_stands_in_its_binary_log(sandbox, tmp_path):
    server, name = shared("--log-bin=bin"), f"t{abs(hash(tmp_path)) % 10**12}"
    server.run(
        f"CREATE DATABASE {name}",
        f"CREATE USER {name}@127.0.0.1 IDENTIFIED BY 'pw'",
        f"GRANT ALL ON {name}.* TO {name}@127.0.0.1",
    )
    server.run("CREATE TABLE project (id INT)", dbname=name)
    args = {"service": "k", "database": "main", "engine": "mariadb", "dir": str(sandbox.root), "host": "127.0.0.1"}
    args |= {"port": server.port, "user": name, "dbname": name, "password": {"kind": "env", "origin": "X"}}
    model = backup.Model.model_validate(args)
    done = backup.judge(model, Evidence(sandbox.run(backup.effect(model), {"password": "pw"})))
    assert isinstance(done, Done), done

    told = json.loads((sandbox.root / "run-1/k.main.sql.gz.json").read_text())["binlog"]
    (here,) = server.rows("SHOW MASTER STATUS")
    assert told == {"from": f"{here[0]}:{here[1]}", "to": f"{here[0]}:{here[1]}"}


def test_a_manifest_counts_no_rows_of_what_was_written_meanwhile(sandbox, db, act):
    statement = "INSERT INTO user VALUES (7, 1)"
    insert = f"mariadb --no-defaults --socket={db.server.socket} -u root -e '{statement}' {db.dbname}"
    sandbox.tool("mariadb-dump", f'{insert} 3<&-\nexec {shutil.which("mariadb-dump")} "$@"')
    assert isinstance(act(backup), Done)
    told = json.loads((sandbox.root / "backups/run-1/keystone.main.sql.gz.json").read_text())
    assert (told["rows"], told["written"]) == ({"project": 2}, {"user": 2})


@pytest.mark.parametrize("spoil", ["gone", "other", "of another dump", "said to be absent"])
def test_a_dump_without_the_manifest_of_the_journal_is_never_restored(sandbox, db, act, spoil):
    known = act(backup).values["manifest"]
    assert isinstance(act(read_back, manifest=known), Done)
    path = sandbox.root / "backups/run-1/keystone.main.sql.gz"
    if spoil == "gone":
        path.with_name(f"{path.name}.json").unlink()
    elif spoil == "other":
        path.with_name(f"{path.name}.json").write_text("{}")
    elif spoil == "said to be absent":
        path.with_name("keystone.main.absent").touch()
    else:
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"INSERT INTO `user`", b"-- ")))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        path.with_name(f"{path.name}.sha256").write_text(f"{digest}  {path.name}\n")
    before = db.content()
    for kind in (read_back, restore):
        failed = act(kind, manifest=known)
        assert isinstance(failed, Failed)
        assert failed.reason == Reason.BACKUP_UNREADABLE
    assert db.content() == before


def test_a_restore_brings_the_whole_database_back(sandbox, db, act):
    before, charset = db.content(), db.charset()
    assert isinstance(act(backup), Done)
    for statement in (
        "ALTER TABLE project DROP COLUMN data",
        "CREATE TABLE `odd``na me` (x INT, project_id INT, FOREIGN KEY (project_id) REFERENCES project (id))",
        "DROP VIEW names",
        "CREATE VIEW other AS SELECT 1",
        "CREATE PROCEDURE later() SELECT 2",
        f"ALTER DATABASE {db.dbname} CHARACTER SET utf8mb4",
    ):
        db.rows(statement)
    for _ in range(2):
        done = act(restore, current="run-2", run="run-1")
        assert isinstance(done, Done), done
        assert db.content() == before
        assert db.charset() == charset
        assert db.rows("SELECT name FROM names ORDER BY name DESC LIMIT 1")
        assert [row[1] for row in db.rows(f"SHOW PROCEDURE STATUS WHERE Db = '{db.dbname}'")] == ["p"]
    assert b"odd``na me" in gzip.decompress(Path(done.values["present"]).read_bytes())
    db.rows("INSERT INTO user VALUES (5, 2)")
    assert (105, 2) in db.content()["user"]


KEPT = "SELECT id, a, row_start, row_end FROM kept FOR SYSTEM_TIME ALL ORDER BY row_end"


@pytest.fixture
def keeping(db):
    """Keep rows in what only MariaDB has: two of a system-versioned table, one of them history, and a sequence."""
    db.rows("CREATE TABLE kept (id INT PRIMARY KEY, a INT) WITH SYSTEM VERSIONING")
    db.rows("INSERT INTO kept VALUES (1, 1)")
    db.rows("UPDATE kept SET a = 2")
    db.rows("CREATE SEQUENCE next START WITH 7 CACHE 1")
    assert db.rows("SELECT NEXTVAL(next)") == ((7,),)
    return db


def test_a_restore_brings_history_and_sequences_back(sandbox, keeping, act):
    act(backup)
    told = json.loads((sandbox.root / "backups/run-1/keystone.main.sql.gz.json").read_text())
    assert (told["rows"]["kept"], told["rows"]["next"]) == (2, 1)
    was = keeping.rows(KEPT)
    for statement in ("DELETE FROM kept", "DELETE HISTORY FROM kept", "SELECT NEXTVAL(next)", "CREATE SEQUENCE since"):
        keeping.rows(statement)
    done = act(restore, "run-2", run="run-1")
    assert isinstance(done, Done), done
    assert (keeping.rows(KEPT), keeping.rows("SELECT NEXTVAL(next)")) == (was, ((8,),))
    assert not keeping.rows("SHOW TABLES LIKE 'since'")


@pytest.mark.usefixtures("keeping")
@pytest.mark.parametrize("kind", [space, backup])
def test_history_that_the_client_cannot_dump_is_refused(sandbox, act, kind):
    sandbox.tool("mariadb-dump", 'echo "  --quick  Do not buffer."')
    failed = act(kind)
    assert isinstance(failed, Failed), failed
    assert "1 system-versioned tables, whose history" in failed.text
    assert sandbox.log == ["mariadb-dump --help"]


def test_a_savepoint_lies_beside_the_set_of_the_start(sandbox, db, act):
    assert isinstance(act(backup), Done)
    db.rows("INSERT INTO user VALUES (5, 2)")
    at_savepoint = db.content()
    assert isinstance(act(backup, database="main@2023.1"), Done)
    db.rows("DROP TABLE user")

    assert isinstance(act(restore, current="run-2", run="run-1", database="main@2023.1"), Done)
    assert db.content() == at_savepoint


def test_a_restore_that_died_half_way_is_done_again(sandbox, db, act):
    before = db.content()
    assert isinstance(act(backup), Done)
    db.rows("DROP TABLE user")
    assert isinstance(act(restore, keep_present=False), Done)
    assert db.content() == before


def test_a_dump_is_read_back_again_without_its_server(sandbox, db, act):
    done = act(backup)
    again = act(read_back, current="run-2", run="run-1", port=1, password="wrong")
    assert isinstance(again, Done), again
    assert again.values == {name: done.values[name] for name in ("path", "sha256")}


def test_a_missing_database_is_absent_and_a_refused_login_is_not(sandbox, db, act):
    assert isinstance(act(backup, password="wrong"), Failed)
    assert isinstance(act(backup, dbname="mysql"), Failed)
    db.server.run(f"DROP DATABASE {db.dbname}")
    assert act(backup).values == {"absent": "yes"}
    assert act(restore).values == {"absent": "yes"}
    db.server.run(f"CREATE DATABASE {db.dbname}")
    db.rows("CREATE TABLE later (x INT)")
    assert act(restore, keep_present=False).values == {"absent": "yes"}
    assert db.content() == {}


def test_space_is_asked_for_and_no_trace_of_it_stays(sandbox, db, act):
    folder = sandbox.root / "backups/run-1"
    done = act(space)
    assert isinstance(done, Done), done
    assert int(done.values["wanted"]) > 1024
    assert act(space).values["wanted"] == done.values["wanted"]  # asked twice, it is not wanted twice
    assert [path.name for path in folder.iterdir()] == ["keystone.main.need"]
    act(backup)
    assert not list(folder.glob("*.need"))


def test_without_space_no_dump_is_written(sandbox, db, act):
    sandbox.tool("df", "echo head; echo '/dev/sda 9 9 1000 9% /'")
    for kind in (space, backup):
        failed = act(kind)
        assert isinstance(failed, Failed)
        assert failed.reason == Reason.NO_SPACE
        assert "1000 KiB are free" in failed.text
    assert not list((sandbox.root / "backups/run-1").glob("*.sql.gz*"))


def test_a_missing_database_wants_no_space(db, act):
    db.server.run(f"DROP DATABASE {db.dbname}")
    assert act(space).values == {"absent": "yes"}


def test_a_cut_dump_is_never_loaded(sandbox, db, act):
    assert isinstance(act(backup), Done)
    path = sandbox.root / "backups/run-1/keystone.main.sql.gz"
    path.write_bytes(path.read_bytes()[:-20])
    before = db.content()
    for kind in (restore, read_back):
        failed = act(kind)
        assert isinstance(failed, Failed)
        assert failed.reason == Reason.BACKUP_UNREADABLE
    assert db.content() == before


def test_the_password_shows_nowhere(sandbox, db, act):
    tool = "mariadb-dump"
    real = shutil.which(tool)
    sandbox.tool(tool, f'tr "\\0" "\\n" </proc/$$/environ >>"{sandbox.root}/log"\nexec {real} "$@"')
    done = act(backup)
    assert isinstance(done, Done), done
    assert any(tool in line for line in sandbox.log)
    assert not any('a"b' in line for line in sandbox.log)
    assert not any("$(id)" in one.read_text(errors="replace") for one in (sandbox.root / "backups").rglob("*.sha256"))


def test_the_place_in_the_binary_log_is_told(sandbox, db, act):
    tool = "mariadb-dump"
    text = """echo "-- CHANGE MASTER TO MASTER_LOG_FILE='bin.000007', MASTER_LOG_POS=42;\""""
    drop = 'for one in "$@"; do shift; case $one in --master-data=2) echo asked >>"$0.log" ;; *) set -- "$@" "$one" ;; esac; done'
    sandbox.tool(tool, f'{drop}\n{text}\nexec {shutil.which(tool)} "$@"')
    done = act(backup, master_data=True)
    assert isinstance(done, Done), done
    assert done.values["binlog"] == "bin.000007:42"
    assert (sandbox.root / f"tools/{tool}.log").exists()
