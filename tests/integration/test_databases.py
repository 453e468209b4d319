"""SqlDatabases against what real files and servers can do to a reader."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
from pathlib import Path

import pytest

from reconciler.adapters.databases import SqlDatabases
from reconciler.domain.desired import Database
from reconciler.domain.observation import Absent, Known, Unknown
from tests.support.mariadb import Mariadb, shared

pytestmark = pytest.mark.integration


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keystone.db"


@pytest.fixture(scope="module")
def server() -> Mariadb:
    return shared()


def lite(path: Path) -> Database:
    return Database(name="main", url=f"sqlite:///{path}")


def write(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


HOSTILE = {
    "a million rows": """INSERT INTO alembic_version WITH RECURSIVE n(i) AS
        (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT i FROM n""",
    "a head of 10 MB": "INSERT INTO alembic_version VALUES (hex(zeroblob(5000000)))",
    "a blob": "INSERT INTO alembic_version VALUES (x'00ff')",
    "not UTF-8": "INSERT INTO alembic_version VALUES (CAST(x'ff' AS TEXT))",
    "escape": "INSERT INTO alembic_version VALUES (char(27) || '[31m')",
    "empty": "INSERT INTO alembic_version VALUES ('')",
    "a line": "INSERT INTO alembic_version VALUES ('abc' || char(10))",
    "no column": "ALTER TABLE alembic_version RENAME COLUMN version_num TO version",
}


@pytest.mark.parametrize("statement", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_version_tables_are_foreign(file, statement):
    write(file, "CREATE TABLE alembic_version (version_num)", statement)
    seen = await SqlDatabases().marker(lite(file), None)
    assert isinstance(seen, Unknown)
    assert seen.reason == "DatabaseForeign"
    assert len(seen.text) < 400
    assert seen.text.isprintable()


async def test_a_missing_file_is_absent_and_is_not_made(file):
    assert isinstance(await SqlDatabases().marker(lite(file), None), Absent)
    assert isinstance(await SqlDatabases().marker(lite(file / "x" / "y"), None), Absent)
    assert not file.exists()


async def test_a_file_that_is_no_database_is_foreign(file):
    file.write_bytes(b"hello" * 1000)
    seen = await SqlDatabases().marker(lite(file), None)
    assert isinstance(seen, Unknown)
    assert (seen.reason, "no SQLite database" in seen.text) == ("DatabaseForeign", True)


async def test_a_locked_file_is_unknown(file):
    write(file, "CREATE TABLE user (id)")
    with sqlite3.connect(file) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        seen = await SqlDatabases(marker_timeout_s=0.2).marker(lite(file), None)
    writer.close()
    assert isinstance(seen, Unknown)
    assert (seen.reason, "locked" in seen.text) == ("DatabaseUnreachable", True)


async def test_reading_changes_no_byte_and_leaves_no_file(file):
    write(file, "CREATE TABLE alembic_version (version_num)", "CREATE TABLE user (id)", "INSERT INTO user VALUES (1)")
    before = (file.read_bytes(), file.stat().st_mtime_ns)
    await SqlDatabases().marker(lite(file), None)
    await SqlDatabases().fingerprint(lite(file), None)
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


async def test_a_fingerprint_tells_types_apart_and_bad_text_too(file):
    seen = set()
    values = ("1", "'1'", "1.0", "x'31'", "NULL", "''", "x''", "CAST(x'ff' AS TEXT)", "CAST(x'fe' AS TEXT)", "x'ff'")
    for value in values:
        file.unlink(missing_ok=True)
        write(file, "CREATE TABLE t (a, b)", f"INSERT INTO t VALUES ({value}, {value})")  # noqa: S608
        found = await SqlDatabases().fingerprint(lite(file), None)
        assert isinstance(found, Known), found
        seen.add(found.value)
    assert len(seen) == len(values)


async def test_two_equal_rows_are_not_none(file):
    seen = set()
    for count in range(4):
        file.unlink(missing_ok=True)
        write(file, "CREATE TABLE t (a)", *["INSERT INTO t VALUES (1)"] * count)
        found = await SqlDatabases().fingerprint(lite(file), None)
        seen.add(found.value)
    assert len(seen) == 4


async def test_a_long_fingerprint_is_ended(file):
    write(
        file,
        "CREATE TABLE t (a)",
        "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)"
        " SELECT i FROM n",
    )
    seen = await SqlDatabases(fingerprint_timeout_s=0.05).fingerprint(lite(file), None)
    assert isinstance(seen, Unknown)
    assert (seen.reason, "too long" in seen.text) == ("DatabaseUnreachable", True)


@pytest.mark.parametrize(
    ("user", "password", "why"), [("cloud", "hunter2", "refuses the user"), ("nobody", "hunter2", "refuses the user")]
)
async def test_a_refused_login_is_unknown_and_shows_no_password(server, user, password, why):
    database = Database(name="main", url=f"mysql+pymysql://{user}@127.0.0.1:{server.port}/mysql")
    seen = await SqlDatabases().marker(database, password)
    assert isinstance(seen, Unknown)
    assert seen.reason == "DatabaseUnreachable"
    assert why in seen.text
    assert "hunter2" not in seen.text


async def test_an_account_without_rights_is_unknown_not_absent(server):
    server.run("CREATE OR REPLACE USER blind@127.0.0.1 IDENTIFIED BY 'x'", "CREATE OR REPLACE DATABASE secretive")
    for dbname in ("secretive", "nowhere"):
        database = Database(name="main", url=f"mysql+pymysql://blind@127.0.0.1:{server.port}/{dbname}")
        seen = await SqlDatabases().marker(database, "x")
        assert isinstance(seen, Unknown)
        assert "no rights" in seen.text


async def test_an_account_that_may_only_read_is_enough(server):
    server.run(
        "CREATE OR REPLACE DATABASE readable",
        "CREATE TABLE readable.alembic_version (version_num VARCHAR(32))",
        "INSERT INTO readable.alembic_version VALUES ('27e647c0fad4')",
        "CREATE VIEW readable.migrate_version AS SELECT 'keystone' AS repository_id, 1 AS version",
        "CREATE OR REPLACE USER reader@127.0.0.1 IDENTIFIED BY 'x'",
        "GRANT SELECT ON readable.* TO reader@127.0.0.1",
    )
    database = Database(name="main", url=f"mysql+pymysql://reader@127.0.0.1:{server.port}/readable")
    marker = await SqlDatabases().marker(database, "x")
    assert isinstance(marker, Known), marker
    assert (marker.value.alembic, marker.value.migrate, marker.value.tables) == (frozenset({"27e647c0fad4"}), None, 0)
    assert isinstance(await SqlDatabases().fingerprint(database, "x"), Known)


async def test_a_server_over_its_socket(server):
    database = Database(name="main", url=f"mysql+pymysql://root@/mysql?unix_socket={server.socket}")
    assert isinstance(await SqlDatabases().marker(database, None), Known)


async def test_a_table_locked_by_a_schema_change_is_unknown(server):
    import pymysql

    server.run("CREATE OR REPLACE DATABASE locked", "CREATE TABLE locked.alembic_version (version_num VARCHAR(32))")
    with pymysql.connect(unix_socket=str(server.socket), user="root", database="locked") as other:
        other.cursor().execute("LOCK TABLES alembic_version WRITE")
        database = Database(name="main", url=server.url("locked"))
        seen = await SqlDatabases(marker_timeout_s=1).marker(database, server.password)
    assert isinstance(seen, Unknown)
    assert seen.reason == "DatabaseUnreachable"


async def test_a_server_that_accepts_and_says_nothing_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        database = Database(name="main", url=f"mysql+pymysql://u@127.0.0.1:{silent.getsockname()[1]}/d")
        seen = await SqlDatabases(marker_timeout_s=1).marker(database, "hunter2")
    assert isinstance(seen, Unknown)
    assert seen.reason == "DatabaseUnreachable"
    assert "hunter2" not in seen.text


@pytest.mark.parametrize("url", ["mysql://u@127.0.0.1:1/d", "mysql://u@nowhere.invalid/d", "oracle://h/d", "sqlite://"])
async def test_urls_that_lead_nowhere_are_unknown(url):
    seen = await SqlDatabases().marker(Database(name="main", url=url), "hunter2")
    assert isinstance(seen, Unknown)
    assert seen.reason == "DatabaseUnreachable"
    assert "hunter2" not in seen.text


TYPES = """CREATE TABLE things (
    id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, c CHAR(8), v VARCHAR(64) CHARACTER SET latin1, t LONGTEXT,
    b VARBINARY(8), l LONGBLOB, f FLOAT, d DOUBLE, n DECIMAL(30, 10), e ENUM('a', 'b'), w TIMESTAMP(6) NULL, x DATETIME,
    y TINYINT(1), j JSON, z BIT(5), g POINT, KEY (v)) CHARSET utf8mb4"""
THING = """INSERT INTO things VALUES (DEFAULT, 'a ', 'é', REPEAT('ż', 70000), x'00ff', REPEAT(x'00', 70000), 0.1, 0.1,
    1.1, 'b', '2026-01-02 03:04:05.6', NOW(), NULL, '{"a": 1}', b'101', POINT(1, 2))"""


async def test_a_restored_dump_has_the_fingerprint_of_its_origin(server, tmp_path):
    server.run("CREATE OR REPLACE DATABASE origin", "CREATE OR REPLACE DATABASE restored")
    server.run(
        TYPES, THING, THING, "CREATE TABLE `odd ``name` (`odd col` INT)", "CREATE VIEW see AS SELECT 1", dbname="origin"
    )
    dump = tmp_path / "dump.sql"
    client = ["--no-defaults", f"--socket={server.socket}", "-uroot"]
    with dump.open("wb") as out:
        subprocess.run(["mariadb-dump", *client, "--single-transaction", "origin"], stdout=out, check=True)
    with dump.open("rb") as sql:
        subprocess.run(["mariadb", *client, "restored"], stdin=sql, check=True)
    prints = []
    for dbname in ("origin", "restored"):
        database = Database(name="main", url=server.url(dbname))
        prints.append(await SqlDatabases().fingerprint(database, server.password))
    assert isinstance(prints[0], Known), prints[0]
    assert prints[0].value == prints[1].value
    server.run("UPDATE things SET z = b'100' WHERE id = 2", dbname="restored")
    changed = await SqlDatabases().fingerprint(Database(name="main", url=server.url("restored")), server.password)
    assert changed.value != prints[0].value


KEYED = """CREATE TABLE `odd name` (
    id INT(11) NOT NULL AUTO_INCREMENT, n VARCHAR(9) DEFAULT 'x', b VARCHAR(300) COLLATE utf8mb4_bin, j JSON, f TINYINT(1),
    at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, parent INT,
    PRIMARY KEY (id), UNIQUE KEY nb (n, b(100)), FULLTEXT KEY words (n), KEY both_ (parent, n),
    FOREIGN KEY (parent) REFERENCES `odd name` (id) ON DELETE CASCADE,
    CONSTRAINT named FOREIGN KEY (parent) REFERENCES `odd name` (id) ON UPDATE SET NULL) CHARSET utf8mb4"""


async def test_the_structure_of_a_table_with_everything(server):
    server.run(
        *("CREATE OR REPLACE DATABASE keyed", "CREATE OR REPLACE USER reader@127.0.0.1 IDENTIFIED BY 'x'"),
        "GRANT SELECT, REFERENCES ON keyed.* TO reader@127.0.0.1",
    )
    server.run(KEYED, "CREATE VIEW see AS SELECT 1", dbname="keyed")
    database = Database(name="main", url=f"mysql+pymysql://reader@127.0.0.1:{server.port}/keyed")
    seen = await SqlDatabases().structure(database, "x")
    assert isinstance(seen, Known), seen
    assert [line.replace("odd%20name", "t") for line in seen.value.lines] == [
        "table t utf8mb4",
        "column t.at timestamp not null default 'current_timestamp' on update current_timestamp",
        "column t.b varchar(300) null binary",
        "column t.f tinyint(1) null",
        "column t.id int not null auto_increment",
        "column t.j longtext null",
        "column t.n varchar(9) null default 'x'",
        "column t.parent int null",
        "primary t (id)",
        "unique t.nb (n, b(100))",
        "index t.both_ (parent, n)",
        "index t.words (n) fulltext",
        "foreign t (parent) references t (id) on delete cascade",
        "foreign t.named (parent) references t (id) on update set null",
    ]
    assert seen.value.rules_seen
    server.run("REVOKE REFERENCES ON keyed.* FROM reader@127.0.0.1")
    blind = await SqlDatabases().structure(database, "x")
    assert isinstance(blind, Known), blind
    assert not blind.value.rules_seen
    assert blind.value.lines == tuple(
        line.partition(" on ")[0] if line.startswith("foreign") else line for line in seen.value.lines
    )


async def test_the_structure_of_a_file_with_everything(file):
    write(
        file,
        "CREATE TABLE p (a INTEGER, b INTEGER, c TEXT NOT NULL DEFAULT 'x', UNIQUE (c), PRIMARY KEY (b, a))",
        "CREATE TABLE q (a INT REFERENCES p (c) ON DELETE CASCADE, b INT, FOREIGN KEY (a, b) REFERENCES p)",
        "CREATE INDEX some ON q (b) WHERE a IS NULL",
        "CREATE VIEW see AS SELECT 1",
    )
    seen = await SqlDatabases().structure(lite(file), None)
    assert isinstance(seen, Known), seen
    assert seen.value.lines == (
        "table p",
        "column p.a integer null",
        "column p.b integer null",
        "column p.c text not null default 'x'",
        "primary p (b, a)",
        "unique p (c)",
        "table q",
        "column q.a int null",
        "column q.b int null",
        "index q.some (b) partial",
        "foreign q (a) references p (c) on delete cascade",
        "foreign q (a, b) references p (, )",
    )


KEEPERS = (
    "CREATE TABLE kept (id INT PRIMARY KEY, a INT) WITH SYSTEM VERSIONING",
    "INSERT INTO kept VALUES (1, 1)",
    "UPDATE kept SET a = 2",
    "CREATE SEQUENCE next CACHE 1",
)
WRITES = {
    "a row of a system-versioned table": "INSERT INTO kept VALUES (2, 2)",
    "its history": "DELETE HISTORY FROM kept",
    "a value taken from a sequence": "DO NEXTVAL(next)",
    "a new sequence": "CREATE SEQUENCE other",
    "a new system-versioned table": "CREATE TABLE other (id INT PRIMARY KEY) WITH SYSTEM VERSIONING",
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
async def test_what_mariadb_alone_keeps_rows_in_is_in_the_fingerprint(server, write):
    server.run("CREATE OR REPLACE DATABASE keeps")
    server.run(*KEEPERS, dbname="keeps")
    database = Database(name="main", url=server.url("keeps"))
    before, again = [await SqlDatabases().fingerprint(database, server.password) for _ in range(2)]
    server.run(write, dbname="keeps")
    after = await SqlDatabases().fingerprint(database, server.password)
    assert (before.value == again.value, before.value == after.value) == (True, False)


async def test_what_mariadb_alone_keeps_rows_in_is_counted_and_is_structure(server):
    server.run("CREATE OR REPLACE DATABASE keeps")
    server.run(*KEEPERS, dbname="keeps")
    database = Database(name="main", url=server.url("keeps"))
    seen = await SqlDatabases().marker(database, server.password)
    assert seen.value.tables == 2
    structure = await SqlDatabases().structure(database, server.password)
    assert {each.table for each in structure.value.objects} == {"kept", "next"}
