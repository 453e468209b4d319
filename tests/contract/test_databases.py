"""What every Databases must do: in memory, on SQLite, on a real MariaDB."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest

from reconciler.adapters.databases import SqlDatabases
from reconciler.domain.desired import Database
from reconciler.domain.observation import Absent, Known, Unknown
from reconciler.domain.row_probe import RowProbe, Rows
from reconciler.domain.schema import SchemaMarker
from reconciler.ports import Databases
from tests.fakes.databases import Content, MemoryDatabases
from tests.support.mariadb import shared

PROBE = RowProbe(database="main", sql="SELECT id, name FROM user WHERE secret IS NULL", key="id/name", tables=("user",))
USERS: list[tuple[object, ...]] = [(1, "ada", b"\x00\xff"), (2, "grace", None), (3, "żółw 🐢", b"")]


class Place(Protocol):
    """Somewhere a database can be put."""

    databases: Databases
    database: Database
    password: str | None

    def put(self, content: Content) -> None: ...

    def cut(self) -> None: ...


def statements(content: Content, mark: str) -> Iterator[tuple[str, list[tuple[object, ...]]]]:
    """Say how a content is made, in SQL that SQLite and MariaDB understand."""
    if content.alembic is not None:
        yield "CREATE TABLE alembic_version (version_num VARCHAR(32))", [()]
        yield f"INSERT INTO alembic_version VALUES ({mark})", [(head,) for head in content.alembic]  # noqa: S608
    if content.migrate is not None:
        yield "CREATE TABLE migrate_version (repository_id VARCHAR(250), repository_path TEXT, version INTEGER)", [()]
        yield f"INSERT INTO migrate_version VALUES ({mark}, '/srv', {mark})", list(content.migrate)  # noqa: S608
    for name, rows in content.tables.items():
        yield f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, name VARCHAR(100), secret BLOB)", [()]
        yield f"INSERT INTO {name} VALUES ({mark}, {mark}, {mark})", rows  # noqa: S608


class MemoryPlace:
    def __init__(self) -> None:
        self.databases = self.memory = MemoryDatabases()
        self.database, self.password = Database(name="main", url="memory://main"), None

    def put(self, content):
        self.memory.contents[self.database.url] = content

    def cut(self):
        self.memory.away.add(self.database.url)


class SqlitePlace:
    def __init__(self, folder: Path) -> None:
        self.databases: Databases = SqlDatabases()
        self.path = folder / "key stone%20#.db"
        self.database, self.password = Database(name="main", url=f"sqlite:///{self.path}"), None

    def put(self, content):
        self.path.unlink(missing_ok=True)
        with sqlite3.connect(self.path) as connection:
            for statement, rows in statements(content, "?"):
                connection.executemany(statement, rows)
        connection.close()

    def cut(self):
        self.path.unlink(missing_ok=True)
        self.path.mkdir()


class MariadbPlace:
    names = itertools.count()

    def __init__(self) -> None:
        self.server = shared()
        self.dbname = f"contract{next(self.names)}"
        self.databases: Databases = SqlDatabases()
        self.database = Database(name="main", url=self.server.url(self.dbname))
        self.password: str | None = self.server.password

    def put(self, content):
        self.server.run(f"DROP DATABASE IF EXISTS {self.dbname}", f"CREATE DATABASE {self.dbname} CHARSET utf8mb4")
        self.server.fill(self.dbname, statements(content, "%s"))

    def cut(self):
        self.password = "wrong"


@pytest.fixture(params=["memory", "sqlite", pytest.param("mariadb", marks=pytest.mark.integration)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    match request.param:
        case "memory":
            return MemoryPlace()
        case "sqlite":
            return SqlitePlace(tmp_path)
        case _:
            return MariadbPlace()


KEYSTONE = {"keystone": 109, "keystone_contract": 79, "keystone_data_migrate": 79, "keystone_expand": 79}
MARKERS = {
    "empty": (Content(), SchemaMarker()),
    "tables but no version": (Content(tables={"user": USERS}), SchemaMarker(tables=1)),
    "alembic, one head": (Content(["27e647c0fad4"]), SchemaMarker(alembic=frozenset({"27e647c0fad4"}))),
    "alembic, two heads": (
        Content(["2023_1_expand01", "liberty"], tables={"user": USERS}),
        SchemaMarker(alembic=frozenset({"2023_1_expand01", "liberty"}), tables=1),
    ),
    "alembic without a row": (Content([]), SchemaMarker(alembic=frozenset())),
    "migrate, one repository": (
        Content(None, [("Glance Migrations", 44)]),
        SchemaMarker(migrate={"Glance Migrations": 44}),
    ),
    "migrate, several repositories": (Content(None, list(KEYSTONE.items())), SchemaMarker(migrate=KEYSTONE)),
    "migrate without a row": (Content(None, []), SchemaMarker(migrate={})),
    "both": (
        Content(["b4f8b3f584e0"], [("keystone", 109)]),
        SchemaMarker(alembic=frozenset({"b4f8b3f584e0"}), migrate={"keystone": 109}),
    ),
}


@pytest.mark.parametrize(("content", "marker"), MARKERS.values(), ids=MARKERS.keys())
async def test_the_marker_is_what_the_version_tables_hold(place, content, marker):
    place.put(content)
    seen = await place.databases.marker(place.database, place.password)
    assert isinstance(seen, Known), seen
    assert seen.value == marker
    assert seen.at.tzinfo is not None


FOREIGN = {
    "no revision": Content([None]),
    "65 heads": Content([f"{n:012x}" for n in range(65)]),
    "a repository twice": Content(None, [("keystone", 67), ("keystone", 109)]),
    "no version": Content(None, [("keystone", None)]),
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN.keys())
async def test_odd_version_tables_are_unknown(place, content):
    place.put(content)
    seen = await place.databases.marker(place.database, place.password)
    assert isinstance(seen, Unknown)
    assert seen.reason == "DatabaseForeign"
    assert "main" in seen.text


async def test_a_database_that_does_not_exist_is_absent(place):
    assert isinstance(await place.databases.marker(place.database, place.password), Absent)
    assert isinstance(await place.databases.fingerprint(place.database, place.password), Absent)
    assert isinstance(await place.databases.structure(place.database, place.password), Absent)
    assert isinstance(await place.databases.rows(place.database, place.password, PROBE), Absent)


async def test_a_database_that_cannot_be_reached_is_unknown(place):
    place.put(Content(["27e647c0fad4"]))
    place.cut()
    databases = place.databases
    for ask in (databases.marker, databases.fingerprint, databases.structure, partial(databases.rows, probe=PROBE)):
        seen = await ask(place.database, place.password)
        assert isinstance(seen, Unknown)
        assert seen.reason == "DatabaseUnreachable"


async def print_of(place: Place, content: Content) -> str:
    place.put(content)
    seen = await place.databases.fingerprint(place.database, place.password)
    assert isinstance(seen, Known), seen
    return seen.value


async def test_the_fingerprint_is_of_the_rows_not_of_their_order(place):
    first = await print_of(place, Content(["a"], tables={"user": USERS, "role": []}))
    again = await print_of(place, Content(["a"], tables={"role": [], "user": USERS[::-1]}))
    assert first == again
    assert len(first) < 100


OTHERS = {
    "a row more": Content(["a"], tables={"user": [*USERS, (4, "x", None)]}),
    "a row less": Content(["a"], tables={"user": USERS[:2]}),
    "a value": Content(["a"], tables={"user": [*USERS[:2], (3, "żółw", b"")]}),
    "null and empty": Content(["a"], tables={"user": [*USERS[:2], (3, "żółw 🐢", None)]}),
    "swapped": Content(["a"], tables={"user": [(1, "grace", b"\x00\xff"), (2, "ada", None), USERS[2]]}),
    "the head": Content(["b"], tables={"user": USERS}),
    "no head": Content([], tables={"user": USERS}),
    "no version table": Content(tables={"user": USERS}),
    "another name": Content(["a"], tables={"person": USERS}),
    "an empty table more": Content(["a"], tables={"user": USERS, "role": []}),
    "nothing": Content(),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
async def test_any_difference_shows_in_the_fingerprint(place, other):
    assert await print_of(place, Content(["a"], tables={"user": USERS})) != await print_of(place, other)


TYPES = {
    "memory": ("int not null", "varchar(100) null", "blob null"),
    "sqlite": ("integer null", "varchar(100) null", "blob null"),
    "mariadb": ("int not null", "varchar(100) null", "blob null"),
}


async def test_the_structure_is_of_tables_and_keys_without_version_tables_and_rows(place):
    place.put(Content(["a"], [("keystone", 109)], tables={"user": USERS, "role": []}))
    seen = await place.databases.structure(place.database, place.password)
    assert isinstance(seen, Known), seen
    number, name, secret = TYPES[seen.value.engine]
    charset = " utf8mb4" if seen.value.engine == "mariadb" else ""
    assert seen.value.lines == tuple(
        line
        for table in ("role", "user")
        for line in (
            f"table {table}{charset}",
            f"column {table}.id {number}",
            f"column {table}.name {name}",
            f"column {table}.secret {secret}",
            f"primary {table} (id)",
        )
    )
    assert seen.value.tables == {"role", "user"}


async def test_a_database_without_tables_has_an_empty_structure(place):
    place.put(Content([]))
    seen = await place.databases.structure(place.database, place.password)
    assert isinstance(seen, Known), seen
    assert (seen.value.lines, seen.value.rules_seen) == ((), True)


async def rows_of(place: Place, probe: RowProbe) -> Rows:
    seen = await place.databases.rows(place.database, place.password, probe)
    assert isinstance(seen, Known), seen
    return seen.value


async def test_rows_in_the_way_are_counted_and_a_few_are_named(place):
    place.put(Content(tables={"user": [*USERS, *((n, f"u{n}", None) for n in range(10, 19))]}))
    found = await rows_of(place, PROBE)
    assert found.count == 10
    assert len(found.sample) == 5
    assert set(found.sample) <= {"2/grace", *(f"{n}/u{n}" for n in range(10, 19))}
    assert list(found.sample) == sorted(found.sample)


async def test_no_row_in_the_way(place):
    place.put(Content(tables={"user": USERS[:1]}))
    assert await rows_of(place, PROBE) == Rows(count=0)


async def test_a_probe_does_not_apply_without_its_tables(place):
    place.put(Content(tables={"role": USERS}))
    assert await rows_of(place, replace(PROBE, tables=("role", "user", "project"))) == Rows(
        count=0, missing=("user", "project")
    )


async def test_a_key_is_fit_to_be_shown(place):
    place.put(Content(tables={"user": [(1, "a\x1b[31m\n" + "b" * 70, None), (2, None, None)]}))
    assert (await rows_of(place, PROBE)).sample == (f"1/a?[31m?{'b' * 70}", "2/NULL")


async def test_text_in_a_probe_is_taken_as_it_is(place):
    place.put(Content(tables={"user": [(1, "100%:id", None), (2, "x", None)]}))
    sql = "SELECT id FROM user WHERE name LIKE '%:id' OR name = '100%s :name'"
    assert (await rows_of(place, replace(PROBE, sql=sql))).sample == ("1",)


WRONG = {
    "no SELECT": "DELETE FROM user",
    "two statements": "SELECT id FROM user; DROP TABLE user",
    "a file": "SELECT id FROM user INTO OUTFILE '/tmp/x'",
    "a lock": "SELECT id FROM user FOR UPDATE",
    "a function": "SELECT SLEEP(9) FROM user",
}


@pytest.mark.parametrize("sql", WRONG.values(), ids=WRONG.keys())
async def test_what_is_not_one_harmless_select_is_not_asked(place, sql):
    before = await print_of(place, Content(tables={"user": USERS}))
    seen = await place.databases.rows(place.database, place.password, replace(PROBE, sql=sql))
    assert isinstance(seen, Unknown)
    assert seen.reason == "ProbeInvalid"
    after = await place.databases.fingerprint(place.database, place.password)
    assert isinstance(after, Known)
    assert after.value == before


async def test_a_column_that_is_not_there_is_no_answer(place):
    place.put(Content(tables={"user": USERS}))
    seen = await place.databases.rows(place.database, place.password, replace(PROBE, sql="SELECT uuid FROM user"))
    assert isinstance(seen, Unknown)
    assert seen.reason == "DatabaseForeign"
