"""Every state of tests/cases/database_states, made by its SQL: what is read of it, and where keystone then stands.

Beside each `.sql` lies the `.json` with what is expected, and with the engines that can be in this state.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from reconciler.adapters.databases import SqlDatabases
from reconciler.catalog import load_catalog
from reconciler.domain.desired import Database
from reconciler.domain.observation import Known, Observed, Unknown
from reconciler.domain.schema import SchemaMarker
from reconciler.planning.identify import identify
from tests.support.mariadb import shared

CASES = sorted((Path(__file__).parent.parent / "cases" / "database_states").glob("*.sql"))


def expected(path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(path.with_suffix(".json").read_text())
    return found


def bearing(engine: str) -> list[Path]:
    return [path for path in CASES if engine in expected(path)["engines"]]


def told(seen: Observed[SchemaMarker]) -> dict[str, object]:
    """Write what was seen, and where that is, as the cases do; an Unknown without the place of this test's database."""
    match seen:
        case Known(marker):
            found = identify(load_catalog().service("keystone"), "main", marker)
            return {"marker": marker.as_json(), "state": found.state.value, "text": found.text}
        case Unknown(reason, text):
            assert text.isprintable()
            return {"unknown": reason, "text": text.partition("): ")[2]}
    return {"absent": True}


async def read(path: Path, engine: str, folder: Path) -> Observed[SchemaMarker]:
    """Make the state, and read it."""
    if engine == "sqlite":
        file = folder / "keystone.db"
        with sqlite3.connect(file) as connection:
            connection.executescript(path.read_text())
        connection.close()
        return await SqlDatabases().marker(Database(name="main", url=f"sqlite:///{file}"), None)
    server = shared()
    server.run("CREATE OR REPLACE DATABASE state CHARACTER SET utf8mb4")
    statements = [each for each in path.read_text().split(";\n") if each.strip()]
    server.run("SET SESSION sql_mode = ''", *statements, dbname="state")
    return await SqlDatabases().marker(Database(name="main", url=server.url("state")), server.password)


@pytest.mark.parametrize("path", bearing("sqlite"), ids=lambda path: path.stem)
async def test_a_file(path: Path, tmp_path: Path) -> None:
    assert told(await read(path, "sqlite", tmp_path)) == expected(path)["expect"]


@pytest.mark.integration
@pytest.mark.parametrize("path", bearing("mariadb"), ids=lambda path: path.stem)
async def test_a_server(path: Path, tmp_path: Path) -> None:
    assert told(await read(path, "mariadb", tmp_path)) == expected(path)["expect"]
