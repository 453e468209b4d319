"""Every marker of the catalog is identified as what it is."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from reconciler.catalog import load_catalog
from reconciler.domain.catalog import Database, Service
from reconciler.domain.marker import Marker
from reconciler.domain.schema import SchemaMarker, SchemaState
from reconciler.planning.identify import identify
from reconciler.planning.marker import place_of_marker

REAL = yaml.safe_load((Path(__file__).parent / "real_markers.yaml").read_text())
CATALOG = load_catalog()
SERVICES = [name for name, service in CATALOG.services.items() if service.databases]


def seen(marker: Marker) -> SchemaMarker:
    return SchemaMarker(alembic=marker.alembic or None, migrate=dict(marker.migrate) or None, tables=9)


def marked(service: Service) -> list[tuple[str, Database, Marker]]:
    return [
        (each.release.id, service.databases[name], marker)
        for each in service.releases
        for name, markers in each.schema.items()
        for marker in markers
    ]


@pytest.mark.parametrize("name", SERVICES)
def test_a_database_with_a_releases_marker_is_at_that_release(name: str) -> None:
    service = CATALOG.service(name)
    for release, database, marker in marked(service):
        found = identify(service, database.name, seen(marker))
        assert (found.state, release in found.releases) == (SchemaState.AT, True), (release, database.name, found.text)


@pytest.mark.parametrize("place", REAL)
def test_real_databases_are_at_the_release_that_made_them(place: str) -> None:
    service, _, database = place.partition(".")
    for release, rows in REAL[place].items():
        alembic = None if rows["alembic"] is None else frozenset(rows["alembic"])
        marker = SchemaMarker(alembic=alembic, migrate=rows["migrate"], tables=50)
        assert release in identify(CATALOG.service(service), database, marker).releases, (place, release)


@pytest.mark.parametrize("name", SERVICES)
def test_markers_only_grow(name: str) -> None:
    """What a later release leaves is never behind what an earlier one leaves: chains are in order."""
    service = CATALOG.service(name)
    for database in service.databases.values():
        places = [
            place_of_marker(database, m) for _, of, m in marked(service) if of.name == database.name and not m.until
        ]
        assert all(early <= late for early, late in pairwise(places)), database.name


@pytest.mark.parametrize("name", SERVICES)
def test_an_unfinished_upgrade_is_never_taken_for_a_release(name: str) -> None:
    """A chain stopped at a revision that no release ends with lies between two releases."""
    service = CATALOG.service(name)
    for database in service.databases.values():
        ends = {head for _, of, marker in marked(service) if of.name == database.name for head in marker.alembic}
        if len(database.branches) == 1:
            chain = (database.base, *database.branches[0].revisions)
            since_first = chain[min(chain.index(end) for end in ends) :]
            for revision in set(since_first) - ends:
                found = identify(service, database.name, SchemaMarker(alembic=frozenset({revision}), tables=9))
                assert found.state is SchemaState.BETWEEN, (revision, found.text)


@pytest.mark.parametrize("name", SERVICES)
def test_what_version_commands_write_into_an_empty_database_is_empty(name: str) -> None:
    service = CATALOG.service(name)
    for database in service.databases.values():
        for blank in database.blanks:
            found = identify(service, database.name, SchemaMarker(migrate=dict(blank)))
            assert found.state is SchemaState.EMPTY, blank
