"""Structures are compared with the catalog's where a step is proved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.adapters.redactor import Redactor
from reconciler.adapters.secrets import LocalSecrets
from reconciler.catalog.structure import expected_structure
from reconciler.domain.comparison import Comparison
from reconciler.domain.desired import Database, SecretRef
from reconciler.domain.effect import AskStructure
from reconciler.domain.observation import Absent, Known, Unknown
from reconciler.domain.structure import Part, Structure
from reconciler.execution.prove import ask
from reconciler.ports import Ports
from tests.fakes.clock import VirtualClock
from tests.fakes.databases import Content, MemoryDatabases
from tests.fakes.dns import MemoryDns
from tests.fakes.hosts import FakeHosts
from tests.fakes.journal import MemoryJournal
from tests.fakes.metrics import MemoryMetrics
from tests.fakes.source import MemorySource
from tests.support.sample import DESIRED

MAIN = Database(name="main", url="memory://keystone")


@pytest.fixture
def databases() -> MemoryDatabases:
    found = MemoryDatabases()
    found.contents[MAIN.url] = Content()
    return found


async def asked(databases: MemoryDatabases, *, component="keystone", release="train", database=MAIN):
    clock, secrets = VirtualClock(), LocalSecrets({}, Redactor())
    ports = Ports(
        FakeHosts(), databases, None, MemoryDns(), MemoryMetrics(), secrets, MemorySource(), MemoryJournal(clock), clock
    )
    return await ask(AskStructure(database, component, release), DESIRED, ports)


def train(*, without: str = "") -> Structure:
    expected = expected_structure("keystone", "main", "train")
    assert expected is not None
    (whole,) = expected.runs[-1:]
    kept = frozenset(each for each in whole.objects if (each.part, each.table) != (Part.COLUMN, without))
    return Structure(whole.engine, kept)


async def test_what_the_release_leaves_is_the_same(databases):
    databases.structures[MAIN.url] = train()
    found = await asked(databases)
    assert isinstance(found, Known)
    assert isinstance(found.value, Comparison)
    assert found.value.told == "the same"


async def test_what_is_missing_is_told(databases):
    databases.structures[MAIN.url] = train(without="access_rule")
    found = await asked(databases)
    assert isinstance(found, Known)
    assert isinstance(found.value, Comparison)
    assert found.value.told == "6 damaging differences"


async def test_of_a_release_whose_code_was_not_run_nothing_is_asked(databases):
    databases.away.add(MAIN.url)
    for component, release in (("keystone", "kilo"), ("a-sites-own", "train")):
        found = await asked(databases, component=component, release=release)
        assert isinstance(found, Known)
        assert isinstance(found.value, Comparison)
        assert found.value.told.startswith("no fingerprint")


async def test_a_database_that_cannot_be_read_is_not_compared(databases):
    databases.away.add(MAIN.url)
    assert isinstance(await asked(databases), Unknown)
    assert isinstance(await asked(databases, database=replace(MAIN, url="memory://gone")), Absent)
    missing = replace(MAIN, password=SecretRef("env", "NOWHERE"))
    found = await asked(databases, database=missing)
    assert isinstance(found, Unknown)
    assert found.reason == "SecretMissing"
