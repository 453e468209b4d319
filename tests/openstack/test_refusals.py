"""What real Keystone refuses, and what it leaves behind; the solver refuses the same hops beforehand."""

from __future__ import annotations

import pytest

from reconciler.catalog import load_catalog
from reconciler.domain.route import Hop, RoutePolicy
from reconciler.domain.schema import SchemaState
from reconciler.planning.edges import Edge, judge_hop
from tests.openstack.predict import heard, never_down, refusal
from tests.openstack.tools import Bench

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(180)]

UNKNOWN_VERSION = '"Database schema file with version {version} doesn\'t exist."'
UNKNOWN_REVISION = "Can't locate revision identified by '{revision}'"
"""What code says of a schema newer than itself, by the kind of its marker; no rule holds it, for no hop leads down."""

LEGACY = ("wallaby", "xena", "yoga")


@pytest.mark.parametrize(
    ("start", "version", "goal"),
    [("pike", 25, "yoga"), ("queens", 45, "2023.1"), ("rocky", 53, "yoga"), ("train", 72, "2023.1")],
)
async def test_squashed_migrations_refuse_an_older_schema(bench: Bench, start: str, version: int, goal: str) -> None:
    copy = bench.database(f"squashed_{start}", start)
    rows = copy.rows()
    ended = copy.run(goal, "db_sync")
    assert ended.code == 1
    rule = refusal("keystone", start, goal)
    assert rule.id == "keystone-squashed"
    assert heard(rule.says, ended.text) == {"version": str(version)}
    assert copy.rows() == rows
    assert (await copy.found()).releases == (start,)


async def test_removed_migrations_leave_an_empty_version_table(bench: Bench) -> None:
    copy = bench.database("removed", "xena")
    rows = copy.rows()
    ended = copy.run("2024.1", "db_sync")
    assert ended.code == 1
    rule = refusal("keystone", "xena", "2024.1")
    assert rule.id == "keystone-legacy-removed"
    assert heard(rule.says, ended.text) == {"table": "application_credential"}

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
    rule = refusal("keystone", "pike", "2024.1")
    assert rule.id == "keystone-legacy-poisons"
    assert heard(rule.says, ended.text) == {"table": "assignment"}
    assert set(copy.rows()) - set(rows) == {"alembic_version", "application_credential"}
    found = await copy.found()
    assert found.state is SchemaState.UNKNOWN
    assert "restore it first" in found.text


async def test_code_refuses_a_schema_that_is_newer(bench: Bench) -> None:
    copy = bench.database("newer", "2026.1")
    rows = copy.rows()
    ended = copy.run("2024.1", "db_sync")
    assert ended.code == 1
    assert heard(UNKNOWN_REVISION, ended.text) == {"revision": "742c857f1dfb"}
    assert copy.rows() == rows
    assert (await copy.found()).releases == ("2026.1", "2026.2")
    never_down("keystone", "2026.1", "2024.1")


async def test_older_code_refuses_a_newer_schema_of_the_old_kind(bench: Bench) -> None:
    copy = bench.database("newer_old", "xena")
    rows = copy.rows()
    ended = copy.run("train", "db_sync")
    assert ended.code == 1
    assert heard(UNKNOWN_VERSION, ended.text) == {"version": "79"}
    assert copy.rows() == rows
    assert (await copy.found()).releases == LEGACY
    never_down("keystone", "xena", "train")


async def test_yoga_is_silent_on_a_schema_that_is_newer(bench: Bench) -> None:
    copy = bench.database("silent", "zed")
    rows = copy.rows()
    assert copy.run("yoga", "db_sync").code == 0
    assert copy.run("yoga", "db_sync", "--check").code == 0
    assert copy.rows() == rows
    assert (await copy.found()).releases == ("zed", "2023.1")
    never_down("keystone", "zed", "yoga")


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
