"""What a newer plan ends that an open leg had still to end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from reconciler.domain.outcome import Done, Failed
from reconciler.domain.plan import Plan, ServiceRoute, Step
from reconciler.domain.procedure import Phase
from reconciler.domain.run import Attempt, Run
from reconciler.planning.left_over import left_over, watches_left, with_rest

AT = datetime(2026, 1, 2, tzinfo=UTC)
GOAL = {"nova": "queens"}


def step(id_: str, phase: Phase, kind: str, *after: str, host: str = "c1", **more: object) -> Step:
    return Step(id=id_, kind=kind, phase=phase, service="nova", title=id_, host=host, after=after, **more)


START = step("start@c1", Phase.ROLL, "units")
BARRIER = step("barrier", Phase.ROLL, "barrier", "start@c1", host="")
DRAIN = step("drain@c2", Phase.ROLL, "load_balancer", "barrier", host="c2")
OTHER = step("start@c2", Phase.ROLL, "units", "drain@c2", host="c2")
READY = step("ready@c2", Phase.ROLL, "load_balancer", "start@c2", host="c2")
CLUSTER = step("cluster@c3", Phase.ROLL, "cluster_manager", "ready@c2", host="c3")
BACKFILL = step("backfill@c1", Phase.BACKFILL, "backfill", "cluster@c3")
CHECK = step("watch@c1", Phase.BACKFILL, "watch", "backfill@c1", args={"name": "guest", "action": "check"})
SMOKE = step("smoke@c1", Phase.FINISH, "http_probe", "watch@c1")
STEPS = (START, BARRIER, DRAIN, OTHER, READY, CLUSTER, BACKFILL, CHECK, SMOKE)
PLAN = Plan(
    id="p",
    group="nova",
    inputs="i",
    services=(ServiceRoute(service="nova", start="pike", goal="queens", route=("pike", "queens")),),
    steps=STEPS,
)


def run(*done: str, failed: str = "") -> Run:
    attempts = {each: (Attempt(1, AT, 1, Done({})),) for each in done}
    if failed:
        attempts[failed] = (Attempt(1, AT, 1, Failed("StepFailed", "no")),)
    return Run(id="r1", plan=PLAN, started_at=AT, attempts=attempts, ended="superseded", ended_at=AT)


def waits(steps: tuple[Step, ...]) -> dict[str, tuple[str, ...]]:
    return {each.id: each.after for each in steps}


def test_what_comes_after_the_roll_is_left_over_and_waits_for_its_own():
    moved = run("start@c1", "barrier", "drain@c2", "start@c2", "ready@c2", "cluster@c3")
    found = left_over(moved, GOAL)
    assert waits(found) == {"backfill@c1": (), "watch@c1": ("backfill@c1",), "smoke@c1": ("watch@c1",)}
    assert found[1].args == {"name": "guest", "action": "check", "run": "r1"}


def test_what_was_given_up_on_a_host_in_mid_move_is_given_back_and_on_others_never_taken():
    assert "ready@c2" in waits(left_over(run("start@c1", "barrier", "drain@c2", failed="start@c2"), GOAL))
    found = waits(left_over(run("start@c1", "barrier"), GOAL))
    assert {"drain@c2", "ready@c2", "start@c2"}.isdisjoint(found)
    assert found["cluster@c3"] == ()


def test_with_another_goal_only_what_finishes_is_left():
    moved = run("start@c1", "barrier", "drain@c2", "start@c2", "ready@c2", "cluster@c3")
    assert list(waits(left_over(moved, {"nova": "rocky"}))) == ["smoke@c1"]
    assert list(waits(left_over(moved, {}))) == ["smoke@c1"]


def test_nothing_is_left_of_what_was_done():
    assert left_over(run(*(each.id for each in STEPS)), GOAL) == ()


def test_what_is_left_comes_behind_what_moves_and_a_newer_step_stands_for_an_older_one():
    rest = left_over(run("start@c1", "barrier", "drain@c2", "start@c2", "ready@c2", "cluster@c3"), GOAL)
    newer = (
        step("stop@c2", Phase.ROLL, "units", host="c2"),
        step("start@c2", Phase.ROLL, "units", "stop@c2", host="c2"),
        replace(SMOKE, title="newer", after=("start@c2",)),
    )
    found = with_rest(newer, rest)
    assert waits(found) == {
        "stop@c2": (),
        "start@c2": ("stop@c2",),
        "backfill@c1": ("start@c2",),
        "watch@c1": ("backfill@c1",),
        "smoke@c1": ("start@c2", "watch@c1"),
    }
    assert found[-1].title == "newer"


def test_what_finishes_one_service_stays_before_the_next_one_that_waits_for_it():
    newer = (
        step("start@c2", Phase.ROLL, "units", host="c2"),
        step("given@c2", Phase.FINISH, "units", "start@c2", host="c2"),
        replace(SMOKE, after=("given@c2",)),
        step("stop@c4", Phase.QUIESCE, "units", "smoke@c1", host="c4"),
        step("smoke@c4", Phase.FINISH, "http_probe", "stop@c4", host="c4"),
    )

    found = with_rest(newer, (BACKFILL,))

    assert [each.id for each in found] == ["start@c2", "given@c2", "smoke@c1", "stop@c4", "backfill@c1", "smoke@c4"]
    assert waits(found)["smoke@c1"] == ("given@c2",)


def test_a_plan_that_walks_on_ends_the_watches_of_the_one_before():
    begun = step("watch.start@c1", Phase.QUIESCE, "watch", args={"name": "guest", "action": "start"})
    other = step("other.start@c1", Phase.QUIESCE, "watch", args={"name": "other", "action": "start"})
    ends = [
        step(f"{name}.stop@c1", Phase.BACKFILL, "watch", "x", args={"name": name, "action": "stop"})
        for name in ("guest", "other")
    ]
    plan = replace(PLAN, steps=(begun, other, *ends))
    (end,) = watches_left(replace(run("watch.start@c1"), plan=plan))
    assert (end.id, end.phase, end.after) == ("guest.stop.of-r1@c1", Phase.FINISH, ())
    assert end.args == {"name": "guest", "action": "stop", "run": "r1"}
