"""A group before its gates, from literals."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from reconciler.domain.desired import Accept, Desired
from reconciler.domain.journal import Kind
from reconciler.domain.outcome import Done, Failed
from reconciler.domain.reasons import Reason
from reconciler.domain.run import Attempt, History, Run
from reconciler.domain.verdict import State
from reconciler.domain.window import Window
from reconciler.planning.scene import inputs_of
from tests.planning.test_judge import AT, CANARY, GOAL, IDS, kinds, rule, run
from tests.planning.test_stall import earlier

NIGHT = Window(name="night", effect="allow", zone="UTC", cron="0 22 * * *", duration_h=6)
DAY = AT + timedelta(hours=12)
FROZEN: Desired = replace(GOAL, windows=(NIGHT,))
WAIVED = replace(FROZEN, accepts=(Accept(what="windows:keystone", by="ann", reason="a fire", until=date(2026, 1, 2)),))


PREPARED = run(max(place for place, step in enumerate(IDS) if ".prepare." in step) + 1)


def prepared(at: datetime) -> Run:
    """Return a run that has just prepared all."""
    return replace(PREPARED, attempts={step: (Attempt(1, at, 1, Done(), at),) for step in PREPARED.attempts})


def test_before_its_window_a_leg_prepares_and_then_waits_with_its_plan_in_sight():
    assert kinds(rule(History(), FROZEN, DAY)) == [Kind.PLAN_PINNED]
    assert [ready.step.phase for ready in rule(History(runs=(run(0),)), FROZEN, DAY).ready][1:2] == ["prepare"]
    found = rule(History(runs=(prepared(DAY),)), FROZEN, DAY)
    assert (found.verdict.state, found.verdict.reason) == (State.WAITING, Reason.WINDOW_CLOSED)
    assert "opens 2026-01-02 22:00 UTC" in found.verdict.text
    assert [each.reason for each in found.verdict.blocks] == [Reason.WINDOW_CLOSED]
    assert found.plan is not None
    assert found.drafts == ()


def test_in_a_freeze_not_even_preparing_begins():
    freeze = replace(NIGHT, effect="deny", cron="0 0 * * *", duration_h=24)
    found = rule(History(), replace(GOAL, windows=(freeze,)), DAY)
    assert (found.verdict.state, found.drafts) == (State.WAITING, ())
    assert found.plan is not None


def test_in_its_window_it_begins():
    night = AT + timedelta(hours=23)
    assert [ready.step.phase for ready in rule(History(runs=(prepared(night),)), FROZEN, night).ready][:1] == [
        "quiesce"
    ]


def test_somebody_who_answers_for_it_lets_it_begin_and_changes_no_input():
    assert rule(History(runs=(prepared(DAY),)), WAIVED, DAY).ready != ()
    next_day = DAY + timedelta(days=1)
    assert rule(History(runs=(prepared(next_day),)), WAIVED, next_day).verdict.reason == Reason.WINDOW_CLOSED
    assert inputs_of("keystone", WAIVED) == inputs_of("keystone", GOAL)


def test_what_is_left_of_the_window_must_be_enough_for_the_measured_steps():
    took = replace(earlier(3600), id="r0")
    last = AT + timedelta(hours=3, minutes=30)
    assert rule(History(runs=(took, PREPARED)), FROZEN, last).verdict.reason == Reason.WINDOW_TOO_SHORT
    assert rule(History(runs=(PREPARED,)), FROZEN, last).ready != ()


def test_an_open_leg_begins_nothing_more_and_follows_what_runs():
    found = rule(History(runs=(run(8, begun=True),)), FROZEN, AT + timedelta(hours=4))
    assert [ready.adopt for ready in found.ready] == [True]
    found = rule(History(runs=(run(9),)), FROZEN, DAY)
    assert (found.verdict.state, found.ready) == (State.WAITING, ())


def test_the_end_of_a_leg_passes():
    smoke = next(place for place, step in enumerate(IDS) if ".finish." in step)
    assert [ready.step.id for ready in rule(History(runs=(run(smoke),)), FROZEN, DAY).ready] == [IDS[smoke]]


def test_what_goes_back_passes():
    failed = run(IDS.index(CANARY), next_=Failed("VerifyFailed", "401"))
    assert kinds(rule(History(runs=(failed,)), FROZEN, DAY)) == [Kind.HALT_RAISED, Kind.TURNED_BACK]


def test_only_hosts_that_the_leg_touches_are_asked_for_space():
    wanting = replace(GOAL.services["keystone"], disk_space={"/var": 5.0})
    found = rule(History(), replace(GOAL, services={"keystone": wanting}))
    (block,) = found.verdict.blocks
    assert (block.reason, block.gate) == (Reason.DISK_SPACE_SHORT, "disk_space")
    assert block.text.endswith("on " + ", ".join(wanting.hosts))
