"""What real Keystone refuses, and what it leaves behind; the solver refuses the same hops beforehand."""

from __future__ import annotations

import pytest

from reconciler.catalog import load_catalog
from reconciler.domain.route import Hop, Refusal, RoutePolicy
from reconciler.domain.schema import SchemaState
from reconciler.planning.edges import Edge, judge_hop
from reconciler.planning.route import find_route
from tests.openstack.tools import Bench

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(180)]

LEGACY = ("wallaby", "xena", "yoga")


def refused(start: str, goal: str) -> str:
    """Name the rule by which the solver refuses a hop, even offline."""
    keystone = load_catalog().service("keystone")
    verdict = judge_hop(Edge(keystone, keystone.at(start), keystone.at(goal)), RoutePolicy.OFFLINE)
    assert isinstance(verdict, Refusal), verdict
    for policy in RoutePolicy:
        route = find_route(load_catalog(), "keystone", start, goal, policy)
        assert (start, goal) not in [(hop.start, hop.goal) for hop in route.hops]
        assert verdict in route.refused
    return verdict.reason.rule


@pytest.mark.parametrize(
    ("start", "version", "goal"),
    [("pike", 25, "yoga"), ("queens", 45, "2023.1"), ("rocky", 53, "yoga"), ("train", 72, "2023.1")],
)
async def test_squashed_migrations_refuse_an_older_schema(bench: Bench, start: str, version: int, goal: str) -> None:
    copy = bench.database(f"squashed_{start}", start)
    rows = copy.rows()
    ended = copy.run(goal, "db_sync")
    assert ended.code == 1
    assert f"Database schema file with version {version} doesn't exist." in ended.text
    assert copy.rows() == rows
    assert (await copy.found()).releases == (start,)
    assert refused(start, goal) == "keystone-squashed"


async def test_removed_migrations_leave_an_empty_version_table(bench: Bench) -> None:
    copy = bench.database("removed", "xena")
    rows = copy.rows()
    ended = copy.run("2024.1", "db_sync")
    assert ended.code == 1
    assert "(1050, \"Table 'application_credential' already exists\")" in ended.text
    assert refused("xena", "2024.1") == "keystone-legacy-removed"

    left = dict(copy.rows())
    assert left.pop("alembic_version")[1] == []
    assert left == rows
    found = await copy.found()
    assert found.state is SchemaState.AT
    assert found.releases == LEGACY
    assert "Left over from a refused upgrade by newer code" in found.text

    assert copy.run("2023.1", "db_sync").code == 0
    assert (await copy.found()).releases == ("zed", "2023.1")


async def test_removed_migrations_poison_a_schema_of_pike(bench: Bench) -> None:
    copy = bench.database("poisoned", "pike")
    rows = copy.rows()
    ended = copy.run("2024.1", "db_sync")
    assert ended.code == 1
    assert "(1050, \"Table 'assignment' already exists\")" in ended.text
    assert set(copy.rows()) - set(rows) == {"alembic_version", "application_credential"}
    assert refused("pike", "2024.1") == "keystone-legacy-poisons"
    found = await copy.found()
    assert found.state is SchemaState.UNKNOWN
    assert "restore it first" in found.text


async def test_code_refuses_a_schema_that_is_newer(bench: Bench) -> None:
    copy = bench.database("newer", "2026.1")
    rows = copy.rows()
    ended = copy.run("2024.1", "db_sync")
    assert ended.code == 1
    assert "Can't locate revision identified by '742c857f1dfb'" in ended.text
    assert copy.rows() == rows
    assert (await copy.found()).releases == ("2026.1", "2026.2")
    route = find_route(load_catalog(), "keystone", "2026.1", "2024.1", RoutePolicy.OFFLINE)
    assert [refusal.reason.rule for refusal in route.refused] == ["never-down"]


async def test_yoga_is_silent_on_a_schema_that_is_newer(bench: Bench) -> None:
    copy = bench.database("silent", "zed")
    rows = copy.rows()
    assert copy.run("yoga", "db_sync").code == 0
    assert copy.run("yoga", "db_sync", "--check").code == 0
    assert copy.rows() == rows
    assert (await copy.found()).releases == ("zed", "2023.1")
    route = find_route(load_catalog(), "keystone", "zed", "yoga", RoutePolicy.OFFLINE)
    assert [refusal.reason.rule for refusal in route.refused] == ["never-down"]


async def test_check_of_2024_1_lies_where_the_marker_does_not(bench: Bench) -> None:
    copy = bench.database("lying", "zed")
    check = copy.run("2024.1", "db_sync", "--check")
    assert check.code == 0, "it says that nothing is to be done"
    assert "29e87d24a316 (head: 29e87d24a316)" in check.text
    assert (await copy.found()).releases == ("zed", "2023.1")

    keystone = load_catalog().service("keystone")
    assert isinstance(judge_hop(Edge(keystone, keystone.at("zed"), keystone.at("2024.1")), RoutePolicy.OFFLINE), Hop)
    assert copy.run("2024.1", "db_sync", "--expand").code == 0
    between = await copy.found()
    assert between.state is SchemaState.BETWEEN
    assert between.between == ("2023.1", "2024.1")
    assert copy.run("2024.1", "db_sync", "--contract").code == 0
    assert (await copy.found()).releases == ("2024.1", "2024.2", "2025.1", "2025.2")


async def test_stages_out_of_order_are_refused(bench: Bench) -> None:
    copy = bench.database("order", "2025.2")
    rows = copy.rows()
    assert copy.run("2026.1", "db_sync", "--check").code == 2
    ended = copy.run("2026.1", "db_sync", "--contract")
    assert ended.code == 1
    assert "upgrade contract ahead of expand" in ended.text
    assert copy.rows() == rows
