"""Rows in the way: before the pause nothing is stopped for them, within it everything is put back."""

from __future__ import annotations

from reconciler.catalog import load_catalog
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from tests.scenarios.stage import Stage

KEYS = tuple(f"user-{n}" for n in range(7))


async def at_yoga(goal: str) -> Stage:
    """Bring a fleet to rest at yoga; rows are asked for before the hop to `goal`."""
    gate = {
        "id": "site-users",
        "kind": "gate",
        "to": {"first": goal},
        "reason": "Users without a mail address stop our plugin.",
        "meet": "Give each an address.",
        "source": "ticket 12",
        "verified": "run",
        "rows": [{"tables": ["user"], "key": "user", "sql": "SELECT id FROM user WHERE mail IS NULL"}],
    }
    stage = Stage()
    stage.catalog = load_catalog([{"service": "keystone", "series": "openstack", "rules": [gate]}])
    stage.want()
    await stage.until(State.IN_SYNC)
    return stage


async def test_a_closed_gate_of_the_first_hop_stops_nothing_that_serves():
    stage = await at_yoga("2023.1")
    stage.fleet.in_the_way["yoga"] = KEYS
    stage.want(release="2026.1")

    halted = await stage.until(State.HALTED)
    assert halted.reason == Reason.GATE_CLOSED
    assert "7 rows stand in the way (user: user-0, user-1, user-2, user-3, user-4, ...)" in halted.text
    assert "(site-users)" in halted.text
    assert stage.running() == dict.fromkeys(("ks1", "ks2", "ks3"), "yoga")
    assert not [step for step in stage.fleet.ledger if "stop" in step or "schema" in step]
    (halt,) = stage.memory.history.halts
    assert halt.hint == "Give each an address. Then `reconciler retry keystone`."

    stage.fleet.in_the_way.clear()
    stage.journal.ask("retry", "keystone", "ada", "all have one")
    await stage.until(State.IN_SYNC)
    assert stage.fleet.data.release == "2026.1"


async def test_a_closed_gate_of_a_later_hop_takes_the_leg_back():
    stage = await at_yoga("2026.1")
    stage.fleet.in_the_way["2023.1"] = KEYS
    stage.want(release="2026.1")

    halted = await stage.until(State.HALTED)
    assert halted.reason == Reason.GATE_CLOSED
    assert [each for each in stage.fleet.ledger if "schema-sync" in each and not each.startswith("preflight")] == [
        "keystone.migrate.schema-sync.main.2023.1@ks1",
        "back.keystone.migrate.schema-sync.main.2023.1@ks1",
    ]
    assert stage.fleet.data.release == "yoga"
    assert stage.running() == dict.fromkeys(("ks1", "ks2", "ks3"), "yoga")
