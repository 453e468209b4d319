"""A real Keystone advances by a commit and comes back by its revert."""

from __future__ import annotations

from itertools import pairwise

import pytest

from reconciler.catalog import load_catalog
from reconciler.domain.schema import SchemaState
from reconciler.domain.verdict import State
from tests.openstack.fleet import Fleet

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(1500)]

SUPPORTED = ("yoga", "2023.1", "2024.1", "2025.1", "2026.1", "2026.2")
OFFLINE = ("yoga", "2023.1", "2026.2")
SHARED = {
    "yoga": ("yoga",),  # older ones leave a row keystone=109, which a database made by yoga lacks
    "2023.1": ("zed", "2023.1"),
    "2024.1": ("2024.1", "2024.2", "2025.1", "2025.2"),
    "2025.1": ("2024.1", "2024.2", "2025.1", "2025.2"),
    "2026.1": ("2026.1", "2026.2"),
    "2026.2": ("2026.1", "2026.2"),
}
"""Which releases share a schema, as seen on the way from release to release of real Keystone."""


def heads_of(release: str) -> frozenset[str]:
    """Read from the catalog which heads a release leaves."""
    return load_catalog().service("keystone").at(release).schema["main"][0].alembic


def check_databases(fleet: Fleet) -> None:
    """Compare what the database showed at the end of every leg with the catalog."""
    for leg in fleet.legs.values():
        assert leg.heads == heads_of(leg.goal), leg
        assert leg.found.state is SchemaState.AT, leg
        assert leg.found.releases == SHARED[leg.goal], leg


async def test_goes_through_every_supported_release_and_back(fleet: Fleet) -> None:
    rows, hosts = fleet.rows(), fleet.hosts()
    merge = fleet.commit(release="2026.2", procedure="downtime", policy="supported")
    await fleet.until(State.IN_SYNC)
    forward = list(pairwise(SUPPORTED))
    assert fleet.moves() == forward
    assert fleet.running() == dict.fromkeys(hosts, "2026.2")
    assert await fleet.tokens() == [True, True]

    fleet.revert(merge)
    await fleet.until(State.IN_SYNC)
    assert fleet.moves() == forward + [(goal, start) for start, goal in reversed(forward)]
    check_databases(fleet)
    assert fleet.rows() == rows
    assert fleet.hosts() == hosts
    assert await fleet.tokens() == [True, True]


async def test_goes_the_shortest_offline_way_and_back(fleet: Fleet) -> None:
    rows, hosts = fleet.rows(), fleet.hosts()
    merge = fleet.commit(release="2026.2", procedure="fast-forward", policy="offline")
    await fleet.until(State.IN_SYNC)
    assert fleet.moves() == [("yoga", "2026.2")]
    report = fleet.report
    assert report is not None
    run = report.history.runs[-1]
    assert run.plan.services[0].route == OFFLINE
    synced = {step.hop: run.values(step.id)["marker"] for step in run.plan.steps if step.kind == "schema_sync"}
    assert [marker.split(" with ")[0] for marker in synced.values()] == [
        f"alembic {', '.join(sorted(heads_of(release)))}" for release in OFFLINE[1:]
    ]
    assert fleet.running() == dict.fromkeys(hosts, "2026.2")

    fleet.revert(merge)
    await fleet.until(State.IN_SYNC)
    assert fleet.moves() == [("yoga", "2026.2"), ("2026.2", "yoga")]
    check_databases(fleet)
    assert fleet.rows() == rows
    assert fleet.hosts() == hosts
    assert await fleet.tokens() == [True, True]
