"""A leg and its maintenance window, by the real pass on a fleet in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from reconciler.domain.desired import Desired
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from reconciler.domain.window import Window
from tests.scenarios.stage import Stage
from tests.support.sample import desired


def in_window(stage: Stage, seconds: float, in_minutes: int = 1, **more: object) -> Desired:
    """Want 2026.1, in a window of so many seconds from a full minute on, once an hour."""
    begins = stage.clock.now() + timedelta(minutes=in_minutes)
    window = Window(
        name="hourly",
        effect="allow",
        zone="UTC",
        cron=f"{begins.minute} * * * *",
        duration_h=seconds / 3600,
        **more,
    )
    return replace(desired(release="2026.1"), windows=(window,))


async def arrived() -> Stage:
    stage = Stage()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    return stage


async def begun(stage: Stage) -> None:
    """Pass until the leg has begun."""
    for _ in range(200):
        await stage.step()
        if stage.memory.history.open_run("keystone") is not None:
            return
    raise AssertionError("it did not begin")


def attempts(stage: Stage) -> int:
    run = stage.memory.history.open_run("keystone")
    assert run is not None
    return sum(len(each) for each in run.attempts.values())


async def test_before_the_window_all_is_prepared_and_nothing_that_serves_is_touched():
    stage = await arrived()
    stage.commit(in_window(stage, 1800))
    verdict = await stage.until(State.WAITING, reason=Reason.WINDOW_CLOSED)
    assert "opens" in verdict.text
    run = stage.memory.history.open_run("keystone")
    assert run is not None
    assert run.prepared
    assert stage.fleet.ledger
    assert {step.split(".")[1] for step in stage.fleet.ledger} == {"preflight", "prepare"}

    await stage.until(State.IN_SYNC)
    assert stage.memory.history.completed("keystone")[-1].ended == "done"


async def test_a_window_that_closes_in_mid_plan_stops_it_until_the_next_one():
    stage = await arrived()
    stage.commit(in_window(stage, 4))
    await begun(stage)
    await stage.until(State.WAITING, reason=Reason.WINDOW_CLOSED)
    run = stage.memory.history.open_run("keystone")
    assert run is not None
    before = attempts(stage)
    assert 0 < before < len(run.steps)

    for _ in range(30):
        await stage.step()
    assert attempts(stage) == before

    stage.commit(in_window(stage, 1800))  # a longer one: the same leg goes on
    await stage.until(State.IN_SYNC)
    ended = stage.memory.history.completed("keystone")[-1]
    assert (ended.id, ended.ended) == (run.id, "done")


async def test_a_prepared_plan_is_made_anew_when_the_fleet_has_changed_before_the_window():
    stage = await arrived()
    stage.commit(in_window(stage, 1800, in_minutes=5))
    await stage.until(State.WAITING, reason=Reason.WINDOW_CLOSED)
    first = stage.memory.history.open_run("keystone")
    assert first is not None
    stage.fleet.machines["ks2"].link = stage.fleet.machines["ks2"].running = "/srv/keystone/zed"

    for _ in range(70):
        await stage.step()
        if stage.memory.history.runs[-1].id != first.id:
            break
    assert [run.ended for run in stage.memory.history.runs] == ["dropped", ""]
    await stage.until(State.IN_SYNC)


async def test_a_leg_that_may_overrun_its_window_goes_on_to_its_end():
    stage = await arrived()
    stage.commit(in_window(stage, 4, overrun=True))
    await begun(stage)
    await stage.until(State.IN_SYNC)
    assert {each.ended for each in stage.memory.history.runs} == {"done"}


async def test_what_fills_up_while_a_leg_waits_for_its_window_is_told_before_it_opens():
    stage = await arrived()
    waiting = in_window(stage, 1800)
    sunday = replace(waiting.windows[0], cron="0 3 * * 0")
    stage.commit(replace(waiting, windows=(sunday,)))
    await stage.until(State.WAITING, reason=Reason.WINDOW_CLOSED)
    stage.fleet.failing.add("keystone.preflight.space.main@ks1")
    await stage.clock.advance(timedelta(hours=7).total_seconds())
    halted = await stage.until(State.HALTED)
    assert "a dump of main will fit on ks1" in halted.text
    assert stage.running() == {"ks1": "yoga", "ks2": "yoga", "ks3": "yoga"}
