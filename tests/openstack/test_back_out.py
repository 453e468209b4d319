"""A schema step of real Keystone fails half-way, and everything is put back."""

from __future__ import annotations

import pytest

from reconciler.domain.verdict import State
from tests.openstack.fleet import Fleet

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(1200)]


async def test_a_failed_schema_step_is_taken_back(fleet: Fleet) -> None:
    rows, hosts = fleet.rows(), fleet.hosts()
    with fleet.connect() as connection, connection.cursor() as cursor:
        # what the schema of 2026.1 needs, and neither that of 2023.1 nor loading a dump
        cursor.execute("REVOKE INDEX ON keystone.* FROM keystone@127.0.0.1")
    merge = fleet.commit(release="2026.1", procedure="fast-forward", policy="offline")
    verdict = await fleet.until(State.HALTED)
    assert verdict.reason == "StepFailed"
    assert "sync the schema of main with 2026.1's code on ks1" in verdict.text
    assert "INDEX command denied" in verdict.text
    assert fleet.report is not None
    run = fleet.report.history.runs[-1]
    assert [run.done(step.id) for step in run.plan.steps if step.kind == "schema_sync"] == [True, False]
    assert run.ended == "backed_out"
    assert fleet.rows() == rows
    assert fleet.hosts() == hosts
    assert await fleet.tokens() == [True, True]

    fleet.revert(merge)
    await fleet.until(State.IN_SYNC)
    assert fleet.running() == dict.fromkeys(("ks1", "ks2"), "yoga")
