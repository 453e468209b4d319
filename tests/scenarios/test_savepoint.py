"""A goal within a leg: back to a dump that was made on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import reconciler.catalog
from reconciler.desired import load_procedures
from reconciler.domain.desired import Accept, Desired
from reconciler.domain.procedure import Procedure
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from reconciler.planning.action_forms import action_forms
from reconciler.planning.kept import kept_sets
from tests.fakes.hosts import Faults
from tests.scenarios.laws import Case, breaches
from tests.scenarios.stage import BROKEN_CONFIG, Stage
from tests.support.sample import DESIRED, KEYSTONE

LOSS = Accept(what="data-loss:keystone", by="ada", reason="a test", until=date(2099, 1, 1))
ROUTE = ("yoga", "2023.1", "2026.1")
LAST = "keystone.migrate.schema-sync.main.2026.1@ks1"


def stopping_at_each_stop() -> Procedure:
    """Return the packaged fast-forward, with a savepoint before the schema leaves a stop."""
    text = (Path(reconciler.catalog.__file__).parent / "procedures/fast-forward.yaml").read_text()
    first = "- {action: backfill, code: start}\n"
    assert first in text
    text = text.replace("fast-forward:", "stops:").replace(first, f"- savepoint\n        {first}")
    found = load_procedures({"stops.yaml": text.encode()}, action_forms())
    assert not isinstance(found, Sequence)
    return found["stops"]


STOPS = stopping_at_each_stop()


def wanting(release: str, accepts: tuple[Accept, ...] = (), **changes: object) -> Desired:
    service = replace(KEYSTONE, release=release, procedure="stops", **changes)
    return replace(
        DESIRED, services={"keystone": service}, procedures={**DESIRED.procedures, "stops": STOPS}, accepts=accepts
    )


async def at_yoga(faults: Faults | None = None) -> Stage:
    stage = Stage(faults)
    stage.commit(wanting("yoga"))
    await stage.until(State.IN_SYNC)
    return stage


async def gone(stage: Stage) -> Stage:
    """Let the leg end at its goal."""
    stage.commit(wanting("2026.1"))
    await stage.until(State.IN_SYNC)
    assert stage.memory.history.runs[-1].plan.services[0].route == ROUTE
    return stage


async def in_mid_walk(stage: Stage) -> Stage:
    """Let the leg come to the held step by which the schema leaves the savepoint."""
    stage.commit(wanting("2026.1"))
    while not any(key.step == LAST for host in stage.fleet.hosts.hosts.values() for key in host.waiting):
        await stage.step()
    return stage


def lawful(stage: Stage) -> bool:
    found = breaches(Case(stage.store_entries(), stage.fleet.deeds, stage.wanted))
    assert found == []
    return True


async def test_a_savepoint_is_made_before_each_hop_within_the_leg():
    stage = await gone(await at_yoga())

    (kept,) = kept_sets(stage.memory.history)
    assert [copy.database for copy in kept.copies] == ["main", "main@2023.1"]
    assert lawful(stage)


async def test_while_the_schema_walks_a_commit_may_stop_at_a_savepoint():
    stage = await in_mid_walk(await at_yoga(Faults(held={LAST})))
    stage.commit(wanting("2023.1"))
    stage.fleet.hosts.release()
    await stage.until(State.IN_SYNC)

    assert set(stage.running().values()) == {"2023.1"}
    assert stage.fleet.data.release == "2023.1"
    assert lawful(stage)

    stage.commit(wanting("yoga"))  # the leg's own set is the way back still
    await stage.until(State.IN_SYNC)
    assert (set(stage.running().values()), stage.fleet.data.release) == ({"yoga"}, "yoga")
    assert lawful(stage)


async def test_a_complete_leg_goes_back_to_its_savepoint_when_nothing_was_written():
    stage = await gone(await at_yoga())
    before = stage.rows().copy()
    stage.commit(wanting("2023.1"))
    await stage.until(State.IN_SYNC)

    assert (set(stage.running().values()), stage.fleet.data.release) == ({"2023.1"}, "2023.1")
    assert stage.rows() == before
    assert lawful(stage)

    stage.commit(wanting("2026.1"))
    await stage.until(State.IN_SYNC)
    assert set(stage.running().values()) == {"2026.1"}
    assert lawful(stage)


async def test_what_was_written_since_the_leg_stops_it_before_anything_is_stopped():
    stage = await gone(await at_yoga())
    stage.rows().append("of a user")
    stage.commit(wanting("2023.1"))
    verdict = await stage.until(State.HALTED)

    assert verdict.reason == Reason.WRITTEN_SINCE
    assert set(stage.running().values()) == {"2026.1"}

    stage.commit(wanting("2023.1", accepts=(LOSS,)))
    await stage.until(State.IN_SYNC)
    assert (set(stage.running().values()), stage.fleet.data.release) == ({"2023.1"}, "2023.1")
    assert lawful(stage)


async def test_a_canary_that_fails_at_a_savepoint_holds_a_leg_that_was_complete():
    stage = await gone(await at_yoga())
    stage.commit(wanting("2023.1", config=BROKEN_CONFIG))
    verdict = await stage.until(State.HALTED)
    assert verdict.reason == Reason.CANARY_FAILED
    assert stage.running()["ks3"] == ""

    stage.commit(wanting("yoga"))
    await stage.until(State.IN_SYNC)
    assert (set(stage.running().values()), stage.fleet.data.release) == ({"yoga"}, "yoga")
    assert lawful(stage)


async def test_a_canary_that_fails_at_a_savepoint_takes_an_open_leg_back_to_its_start():
    stage = await in_mid_walk(await at_yoga(Faults(held={LAST})))
    stage.commit(wanting("2023.1", config=BROKEN_CONFIG))
    stage.fleet.hosts.release()
    verdict = await stage.until(State.HALTED)
    for _ in range(60):
        await stage.step()

    assert verdict.reason == Reason.CANARY_FAILED
    assert (set(stage.running().values()), stage.fleet.data.release) == ({"yoga"}, "yoga")
    assert lawful(stage)


async def test_a_goal_between_two_stops_without_a_savepoint_has_no_way_back():
    stage = await gone(await at_yoga())
    stage.commit(wanting("2024.1"))
    verdict = await stage.until(State.BLOCKED)

    assert verdict.reason == Reason.NO_WAY_BACK
