"""What real Placement refuses, and what takes the rows out of its way."""

from __future__ import annotations

import pytest

from tests.openstack.predict import gate, heard, never_down
from tests.openstack.test_refusals import UNKNOWN_REVISION
from tests.openstack.tools import Bench

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(300)]

SYNC = ("db", "sync")
BACKFILL = ("db", "online_data_migrations")
BLOCKERS = {
    "placement-611c": "INSERT INTO resource_providers (created_at, uuid, name, generation) VALUES (NOW(), 'rp-x', 'compute-x', 1)",
    "placement-b5c3": "INSERT INTO allocations (created_at, resource_provider_id, consumer_id, resource_class_id, used)"
    " VALUES (NOW(), 1, 'nobody', 0, 1)",
}
KEYS = {"placement-611c": "rp-x/compute-x", "placement-b5c3": "nobody/1"}


@pytest.mark.parametrize("name", BLOCKERS)
async def test_each_blocker_is_predicted_refused_and_cured(bench: Bench, name: str) -> None:
    copy = bench.database(name.replace("-", "_"), "stein", "placement")
    copy.sql("UPDATE resource_providers SET root_provider_id = id")
    rule = gate("placement", "stein", "train", name)
    (probe,) = rule.rows
    assert (await copy.in_the_way(probe)).count == 0
    copy.sql(BLOCKERS[name])
    found = await copy.in_the_way(probe)
    assert (found.count, found.sample) == (1, (KEYS[name],))
    ended = copy.run("train", *SYNC)
    assert ended.code == 1
    assert heard(rule.says, ended.text) == {}

    assert rule.cure == ("placement-manage", *BACKFILL)
    assert copy.run("stein", *BACKFILL).code == 0
    assert (await copy.in_the_way(probe)).count == 0
    assert copy.run("train", *SYNC).code == 0
    assert "train" in (await copy.found()).releases


async def test_code_refuses_a_schema_that_is_newer(bench: Bench) -> None:
    copy = bench.database("placement_newer", "train", "placement")
    rows = copy.rows()
    ended = copy.run("stein", *SYNC)
    assert ended.code == 1
    assert heard(UNKNOWN_REVISION, ended.text) == {"revision": "b5c396305c25"}
    assert copy.rows() == rows
    never_down("placement", "train", "stein")
