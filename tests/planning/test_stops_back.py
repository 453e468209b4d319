"""Which releases of a leg can be gone back to, and at what cost, from literals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.domain.outcome import Done
from reconciler.domain.plan import Plan
from reconciler.domain.run import Attempt, History, Run
from reconciler.planning.plan import make_plan
from reconciler.planning.scene import Scene
from reconciler.planning.stops_back import StopBack, stops_back
from tests.planning.test_plan import CATALOG, position
from tests.scenarios.test_savepoint import LAST, wanting

AT = datetime(2026, 1, 2, tzinfo=UTC)
GOAL = wanting("2026.1")


def planned(release: str = "2026.1") -> Plan:
    scene = Scene(desired=wanting(release), catalog=CATALOG, history=History(), now=AT)
    found = make_plan("keystone", [position()], scene)
    assert found is not None
    return found


PLAN = planned()
IDS = [step.id for step in PLAN.steps]


def run(done: int) -> Run:
    """Return a run with its first steps done, a minute each; dumps are of 2 KiB."""
    attempts = {}
    for place, step in enumerate(PLAN.steps[:done]):
        values = {"bytes": "2048"} if step.kind == "backup" else {}
        began = AT + timedelta(minutes=place)
        attempts[step.id] = (Attempt(1, began, 1, Done(values), began + timedelta(minutes=1)),)
    return Run(id="r1", plan=PLAN, started_at=AT, attempts=attempts)


def complete() -> Run:
    return replace(run(len(IDS)), ended="done", ended_at=AT + timedelta(hours=1))


def stops(*runs: Run) -> tuple[StopBack, ...]:
    return stops_back("keystone", Scene(desired=GOAL, catalog=CATALOG, history=History(runs=runs), now=AT))


def ended(step: str) -> datetime:
    return AT + timedelta(minutes=IDS.index(step) + 1)


def test_of_a_complete_leg_its_start_and_its_savepoints_are_told_with_what_they_cost():
    start, savepoint = stops(complete())

    assert (start.release, start.savepoint, start.hops, start.again_s) == ("yoga", False, 2, 120)
    assert start.made_at == ended("keystone.backup.backup.main@ks1")
    assert (savepoint.release, savepoint.savepoint, savepoint.hops, savepoint.again_s) == ("2023.1", True, 1, 60)
    assert savepoint.made_at == ended("keystone.migrate.backup.main@2023.1@ks1")
    assert {each.bytes for each in (start, savepoint)} == {2048}
    assert {each.sealed_at for each in (start, savepoint)} == {ended("keystone.migrate.seal.main")}


def test_while_the_schema_walks_nothing_would_be_lost():
    start, savepoint = stops(run(IDS.index(LAST)))
    assert (start.release, savepoint.release) == ("yoga", "2023.1")
    assert (start.sealed_at, savepoint.sealed_at) == (None, None)


def test_a_savepoint_that_was_not_made_yet_is_none():
    assert [each.release for each in stops(run(IDS.index(LAST) - 2))] == ["yoga"]


def test_a_savepoint_that_not_all_services_of_the_leg_have_is_none():
    route = replace(PLAN.services[0], service="glance")
    both = replace(complete(), plan=replace(PLAN, services=(*PLAN.services, route)))
    assert not any(each.savepoint for each in stops(both))


def test_a_leg_that_only_prepares_or_is_past_its_point_of_no_return_has_none():
    beyond = [replace(step, point_of_no_return=step.id == IDS[-1]) for step in PLAN.steps]
    assert stops(run(2)) == ()
    assert stops(replace(complete(), plan=replace(PLAN, steps=tuple(beyond)))) == ()
    assert stops() == ()


def test_a_leg_that_was_taken_over_begins_where_the_older_run_began():
    older = replace(run(IDS.index(LAST)), ended="superseded", ended_at=AT)
    route = replace(PLAN.services[0], start="2023.1", route=("2023.1", "2026.1"))
    steps = tuple(step for step in PLAN.steps if IDS.index(step.id) >= IDS.index(LAST))
    newer = Run(id="r2", plan=replace(PLAN, services=(route,), steps=steps, inherits="r1"), started_at=AT)
    newer = replace(newer, attempts={step.id: (Attempt(1, AT, 1, Done(), AT),) for step in steps}, ended="done")
    assert [(each.release, each.savepoint) for each in stops(older, newer)] == [("yoga", False), ("2023.1", True)]


@pytest.mark.parametrize("size", ["²", "9" * 5000])
def test_a_size_that_a_host_makes_up_is_not_known(size):
    found = run(len(IDS))
    attempts = {
        name: tuple(replace(each, outcome=Done({"bytes": size})) for each in tries)
        for name, tries in found.attempts.items()
    }
    assert [each.bytes for each in stops(replace(found, attempts=attempts))] == [None for _ in stops(found)]
