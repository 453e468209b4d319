"""The product's own daemon walks databases of real services from release to release, with their real code."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.domain.verdict import State
from tests.openstack.fleet import Say
from tests.openstack.tools import Bench
from tests.openstack.walk import walk

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(900)]

KEYSTONE = ("xena", "2023.1", "2024.1", "2026.1")


async def test_keystone_from_train_to_2026_1(bench: Bench, root: Path, say: Say) -> None:
    copy = bench.database("walked_keystone", "train")
    async with walk(root, bench, copy, "train", say) as fleet:
        for release in KEYSTONE:
            fleet.commit(release=f'"{release}"')
            await fleet.until(State.IN_SYNC)
            assert release in (await copy.found()).releases


async def test_cinder_with_and_without_its_online_migrations(bench: Bench, root: Path, say: Say) -> None:
    copy = bench.database("walked_cinder", "stein", "cinder")
    async with walk(root, bench, copy, "stein", say) as fleet:
        fleet.commit(release="ussuri", procedure="bare", policy="supported")
        verdict = await fleet.until(State.HALTED, "GateClosed")
        assert "50 rows stand in the way (volume: " in verdict.text
        assert "(cinder-136)" in verdict.text
        assert fleet.report is not None
        hint = fleet.report.history.halts[-1].hint
        assert hint.startswith("Run `cinder-manage db online_data_migrations` with train to ussuri code: ")
        assert (await copy.found()).releases == ("train",)
        assert fleet.run_of("train", "ussuri").ended == "backed_out"

        fleet.commit(procedure="downtime")
        await fleet.until(State.IN_SYNC)
        assert (await copy.found()).releases == ("ussuri",)
        run = fleet.run_of("train", "ussuri")
        before, after = (run.values(step.id) for step in fleet.steps("train", "ussuri", "backfill"))
        assert before == after == {"rounds": "1", "left": "0"}
        assert len(fleet.steps("train", "ussuri", "row_gate")) == 2


async def test_placement_past_both_blockers(bench: Bench, root: Path, say: Say) -> None:
    copy = bench.database("walked_placement", "stein", "placement")
    copy.sql(
        "INSERT INTO resource_providers (created_at, uuid, name, generation) VALUES (NOW(), 'rp-x', 'compute-x', 1)",
        "INSERT INTO allocations (created_at, resource_provider_id, consumer_id, resource_class_id, used)"
        " VALUES (NOW(), 1, 'nobody', 0, 1)",
    )
    async with walk(root, bench, copy, "stein", say) as fleet:
        fleet.commit(release="train", procedure="fast-forward")
        await fleet.until(State.IN_SYNC)
        assert "train" in (await copy.found()).releases
        assert fleet.steps("stein", "train", "backfill")[0].title.startswith("migrate rows online with stein's code")
        assert len(fleet.steps("stein", "train", "row_gate")) == 2
