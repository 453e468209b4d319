"""Databases that real code made, in a real MariaDB: identified, and compared with what releases leave."""

from __future__ import annotations

import functools
import gzip
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from typer.testing import CliRunner

from reconciler.cli import app
from tests.cli.conftest import Call, conforms
from tests.support.mariadb import Mariadb, shared

pytestmark = pytest.mark.integration

DATA = Path(__file__).parent.parent / "data" / "databases"


@pytest.fixture(scope="module")
def server() -> Mariadb:
    return shared()


@pytest.fixture
def call() -> Call:
    return lambda *argv: CliRunner().invoke(app, list(argv))


@functools.cache
def load(server: Mariadb, name: str) -> str:
    """Put a database of the data folder on the server, once, and return its URL."""
    dbname = name.replace(".", "_").replace("-", "_")
    server.run(f"CREATE DATABASE {dbname} CHARSET utf8")
    sql = gzip.decompress((DATA / f"{name}.sql.gz").read_bytes())
    client = ["mariadb", "--no-defaults", f"--socket={server.socket}", "-uroot", dbname]
    subprocess.run(client, input=sql, check=True)
    return server.url(dbname).replace("cloud@", "cloud:s3cret%2Fwith%40odd%3Achars@")


NAMED = {
    "cinder-stein": ("at", ["stein"], "Its structure is that of stein."),
    "glance-rocky": ("at", ["rocky", "stein"], "Its structure is that of rocky, stein."),
    "ironic-2026.1": ("at", ["2026.1"], "Its structure is that of 2026.1."),
    "keystone-pike-tried-2024.1": ("unknown", [], "extra table application_credential"),
    "neutron-yoga": ("at", ["yoga"], "Its structure is that of yoga."),
    "neutron-yoga-to-2026.2": ("at", ["2026.2"], "58 notable, 2 harmless differences: extra table brocadenetworks"),
    "nova.api-train": ("at", ["train"], "Its structure is that of"),
    "nova.cell0-wallaby": ("at", ["wallaby"], "Its structure is that of"),
    "placement-yoga": ("at", ["xena", "yoga", "zed", "2023.1"], "Its structure is that of yoga, 2023.1."),
}


@pytest.mark.parametrize("name", sorted(NAMED))
def test_a_real_database_is_identified(call: Call, server: Mariadb, name: str):
    state, releases, says = NAMED[name]
    service, _, database = name.partition("-")[0].partition(".")
    url = load(server, name)
    found = call("identify", service, f"{database or 'main'}={url}", "-o", "json")
    (one,) = conforms("identify", found.stdout)["databases"].values()
    assert (one["state"], one["releases"]) == (state, releases)
    assert says in one["text"]
    assert "s3cret" not in found.output


def test_every_real_database_is_tried():
    assert {path.name.removesuffix(".sql.gz") for path in DATA.glob("*.gz")} == set(NAMED)


@contextmanager
def counted() -> Iterator[list[str]]:
    """Note the questions that are asked; what sets up the session is none."""
    asked: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "SHOW", "WITH")):
            asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_five_queries_are_enough_where_both_version_tables_are(call: Call, server: Mariadb):
    url = load(server, "keystone-pike-tried-2024.1")
    with counted() as asked:
        call("identify", "keystone", url)
    assert len(asked) == 5


def compared(call: Call, *words: str) -> tuple[int, dict[str, Any]]:
    found = call("schema", "diff", *words, "-o", "json")
    return found.exit_code, conforms("schema-diff", found.stdout)


def test_a_database_is_what_its_release_leaves(call: Call, server: Mariadb):
    code, said = compared(call, "neutron", "yoga", load(server, "neutron-yoga"))
    assert (code, said["databases"]["main"]["state"]) == (0, "same")
    assert "yoga walk: neutron 20." in said["databases"]["main"]["origins"][-1]


def test_the_silent_way_from_yoga_to_2026_2_is_seen(call: Call, server: Mariadb):
    code, said = compared(call, "neutron", "2026.2", load(server, "neutron-yoga-to-2026.2"))
    found = said["databases"]["main"]
    assert (code, found["state"], found["text"]) == (1, "differs", "58 notable, 2 harmless differences")
    extra = [each for each in found["differences"] if (each["judgement"], each["kind"]) == ("notable", "extra")]
    assert len(extra) == 58
    assert all(each["seen"].startswith("table ") for each in extra)


def test_another_release_is_damaging_and_shown_as_a_table(call: Call, server: Mariadb):
    found = call("schema", "diff", "nova", "2026.2", f"cell0={load(server, 'nova.cell0-wallaby')}")
    assert found.exit_code == 1
    assert "database cell0 of nova against 2026.2" in found.stdout
    assert "damaging" in found.stdout


@pytest.mark.parametrize(
    ("service", "release", "says"),
    [("neutron", "kilo", "no fingerprint"), ("heat", "train", "no fingerprint")],
)
def test_what_nobody_ran_cannot_be_told(call: Call, server: Mariadb, service: str, release: str, says: str):
    code, said = compared(call, service, release, load(server, "placement-yoga"))
    assert (code, said["databases"]["main"]["state"]) == (2, "unknown")
    assert says in said["databases"]["main"]["text"]
