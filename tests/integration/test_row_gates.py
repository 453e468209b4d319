"""Questions for rows in the way, put to MariaDB databases that real nova, cinder and placement left."""

from __future__ import annotations

import gzip
import itertools
import subprocess
from pathlib import Path

import pytest

from reconciler.adapters.databases import SqlDatabases
from reconciler.catalog import load_catalog
from reconciler.domain.desired import Database
from reconciler.domain.observation import Known
from reconciler.domain.row_probe import RowProbe, Rows
from tests.support.mariadb import Mariadb, shared

pytestmark = pytest.mark.integration

DUMPS = Path(__file__).parents[1] / "openstack" / "dumps"
NUMBERS = itertools.count()
CASES = {
    ("nova", "ocata", "nova-330"): ("INSERT INTO aggregates (deleted, name) VALUES (0, 'ssd'), (7, 'gone')",),
    ("nova", "ocata", "nova-345"): (
        "INSERT INTO key_pairs (deleted, user_id, name) VALUES (0, 'u', 'k'), (9, 'u', 'gone')",
        "INSERT INTO instance_groups (deleted, user_id, project_id, uuid, name) VALUES (0, 'u', 'p', 'g-1', 'g')",
    ),
    ("nova", "ocata_api", "nova-api-030"): ("DELETE FROM cell_mappings WHERE id = 1",),
    ("nova", "pike", "nova-400"): ("UPDATE services SET uuid = NULL WHERE host = 'c1'",),
    ("nova", "stein", "nova-computes-ussuri"): (),
    ("cinder", "stein", "cinder-136"): (),
    ("cinder", "pike", "cinder-097"): (
        "INSERT INTO messages (deleted, id, project_id, event_id, message_level) VALUES (0, 'm', 'p', '000002', 'ERROR')",
    ),
    ("placement", "stein", "placement-611c"): (
        "INSERT INTO resource_providers (uuid, name, generation) VALUES ('r', 'c', 1)",
    ),
    ("placement", "stein", "placement-b5c3"): (
        "INSERT INTO allocations (resource_provider_id, consumer_id, resource_class_id, used) VALUES (1, 'nobody', 0, 1)",
    ),
}
FOUND = {
    ("nova", "ocata", "nova-330"): [0, 0, 1, 1, 0, 0],
    ("nova", "ocata", "nova-345"): [0, 0, 1, 1, 0, 0, 1, 1],
    ("nova", "ocata_api", "nova-api-030"): [1],
    ("nova", "pike", "nova-400"): [1, 1],
    ("nova", "stein", "nova-computes-ussuri"): [2],
    ("cinder", "stein", "cinder-136"): [50, 100],
    ("cinder", "pike", "cinder-097"): [0, 0, 1],
    ("placement", "stein", "placement-611c"): [1],
    ("placement", "stein", "placement-b5c3"): [1],
}


def loaded(server: Mariadb, service: str, dump: str) -> Database:
    """Load a dump into a database of its own."""
    name = f"gate{next(NUMBERS)}"
    server.run(f"CREATE DATABASE {name} CHARACTER SET utf8mb3")
    text = gzip.decompress((DUMPS / service / f"{dump}.sql.gz").read_bytes())
    login = ("--no-defaults", f"--socket={server.socket}", "--user=root")
    subprocess.run(("mariadb", *login, name), input=text, check=True)
    return Database(name="main", url=server.url(name))


async def asked(database: Database, probe: RowProbe) -> Rows:
    seen = await SqlDatabases().rows(database, shared().password, probe)
    assert isinstance(seen, Known), seen
    return seen.value


@pytest.mark.parametrize("key", CASES, ids=str)
async def test_the_rows_are_found_in_real_schemas(key: tuple[str, str, str]) -> None:
    service, dump, name = key
    server = shared()
    database = loaded(server, service, dump)
    server.run(*CASES[key], dbname=database.url.rsplit("/", 1)[-1])
    (rule,) = (each for each in load_catalog().service(service).rules if each.id == name)
    found = [await asked(database, probe) for probe in rule.rows]
    assert [each.missing for each in found] == [()] * len(found)
    assert [each.count for each in found] == FOUND[key]
