"""What real Cinder refuses, what the rows in the way are, and how they are got out of it."""

from __future__ import annotations

import pytest

from reconciler.domain.row_probe import Rows
from reconciler.domain.schema import SchemaState
from tests.openstack.predict import gate, heard, never_down, refusal
from tests.openstack.test_refusals import UNKNOWN_REVISION, UNKNOWN_VERSION
from tests.openstack.tools import Bench, Copy

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(300)]

SYNC = ("db", "sync")
BACKFILL = ("db", "online_data_migrations")


@pytest.mark.parametrize(
    ("start", "goal", "version"),
    [
        ("pike", "train", 106),
        ("queens", "train", 118),
        ("pike", "wallaby", 106),
        ("queens", "ussuri", 118),
        ("train", "2023.1", 133),
    ],
)
async def test_collapsed_migrations_refuse_an_older_schema(bench: Bench, start: str, goal: str, version: int) -> None:
    copy = bench.database(f"cinder_{start}_{goal}".replace(".", "_"), start, "cinder")
    rows = copy.rows()
    ended = copy.run(goal, *SYNC)
    assert ended.code == 1
    assert heard(refusal("cinder", start, goal).says, ended.text) == {"version": str(version)}
    assert copy.rows() == rows
    assert (await copy.found()).releases == (start,)


async def test_removed_migrations_leave_an_empty_version_table_on_which_the_tool_lies(bench: Bench) -> None:
    copy = bench.database("cinder_removed", "wallaby", "cinder")
    rows = copy.rows()
    ended = copy.run("2024.1", *SYNC)
    assert ended.code == 1
    rule = refusal("cinder", "wallaby", "2024.1")
    assert heard(rule.says, ended.text) == {"table": "services"}
    assert copy.run("2024.1", "db", "version").code == 0, "it sees nothing wrong"
    left = dict(copy.rows())
    assert left.pop(rule.leaves)[1] == []
    assert left == rows
    found = await copy.found()
    assert found.state is SchemaState.AT
    assert found.releases == ("wallaby",)

    assert copy.run("2023.1", *SYNC).code == 0
    assert (await copy.found()).releases == ("2023.1",)


async def untyped(copy: Copy) -> list[Rows]:
    """Ask, as the product does before ussuri, for volumes and snapshots without a type."""
    return [await copy.in_the_way(probe) for probe in gate("cinder", "train", "ussuri", "cinder-136").rows]


async def test_untyped_volumes_are_predicted_refused_and_cured(bench: Bench) -> None:
    copy = bench.database("cinder_untyped", "stein", "cinder")
    copy.sql("UPDATE volumes SET deleted = 1 WHERE volume_type_id IS NULL ORDER BY id LIMIT 3")
    assert copy.run("train", *SYNC).code == 0
    assert (await copy.found()).releases == ("train",)

    volumes, snapshots = await untyped(copy)
    assert volumes.count == 50
    assert len(volumes.sample) == 5
    ended = copy.run("ussuri", *SYNC)
    assert ended.code == 1
    rule = gate("cinder", "train", "ussuri", "cinder-136")
    assert heard(rule.says, ended.text) == {}
    found = await copy.found()
    assert found.state is SchemaState.BETWEEN
    assert found.between == ("train", "ussuri")

    assert rule.cure == ("cinder-manage", *BACKFILL)
    assert copy.run("train", *BACKFILL).code == 0
    assert [rows.count for rows in await untyped(copy)] == [0, 0], "deleted ones have a type too"
    assert copy.run("ussuri", *SYNC).code == 0
    assert (await copy.found()).releases == ("ussuri",)
    assert snapshots.count + volumes.count > 0


async def test_with_the_online_migrations_done_ussuri_refuses_nothing(bench: Bench) -> None:
    copy = bench.database("cinder_typed", "stein", "cinder")
    early = copy.run("train", *BACKFILL)
    assert early.code == 2, "before its own sync train has no type to give"
    assert copy.run("train", *SYNC).code == 0
    assert copy.run("train", *BACKFILL).code == 0
    assert [rows.count for rows in await untyped(copy)] == [0, 0]
    assert copy.run("ussuri", *SYNC).code == 0
    assert (await copy.found()).releases == ("ussuri",)


async def test_the_way_over_train_is_the_only_one(bench: Bench) -> None:
    copy = bench.database("cinder_rocky", "rocky", "cinder")
    ended = copy.run("ussuri", *SYNC)
    assert ended.code == 1
    assert heard(refusal("cinder", "rocky", "ussuri").says, ended.text) == {}


async def test_code_refuses_a_schema_that_is_newer(bench: Bench) -> None:
    for start, goal, said, name in (
        ("train", "stein", UNKNOWN_VERSION, {"version": "132"}),
        ("2024.1", "2023.1", UNKNOWN_REVISION, {"revision": "9c74c1c6971f"}),
    ):
        copy = bench.database(f"cinder_newer_{start}".replace(".", "_"), start, "cinder")
        rows = copy.rows()
        ended = copy.run(goal, *SYNC)
        assert ended.code == 1
        assert heard(said, ended.text) == name
        assert copy.rows() == rows
        never_down("cinder", start, goal)


async def test_deleted_volumes_without_use_quota_stop_the_migration_and_no_backfill_helps(bench: Bench) -> None:
    copy = bench.database("cinder_quota", "wallaby", "cinder")
    copy.sql("UPDATE volumes SET deleted = 1 ORDER BY id LIMIT 2")
    assert copy.run("2023.1", *SYNC).code == 0
    assert copy.run("2023.1", *BACKFILL).code == 0
    live, dead = (gate("cinder", "2023.1", "2024.1", name) for name in ("cinder-9ab1", "cinder-9ab1-deleted"))
    assert [(await copy.in_the_way(probe)).count for probe in live.rows] == [0, 0]
    assert (await copy.in_the_way(dead.rows[0])).count == 2
    ended = copy.run("2024.1", *SYNC)
    assert ended.code == 1
    assert set(heard(dead.says, ended.text)) == {"row"}

    copy.sql("UPDATE volumes SET use_quota = 1 WHERE deleted = 1")
    assert (await copy.in_the_way(dead.rows[0])).count == 0
    assert copy.run("2024.1", *SYNC).code == 0
