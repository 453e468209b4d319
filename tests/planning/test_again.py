"""What a leg asked in preflight is asked once more, where it waits for long."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from reconciler.domain.outcome import Failed
from reconciler.domain.plan import Undo
from reconciler.domain.run import Attempt, History, Run
from reconciler.domain.verdict import State
from reconciler.planning.again import COUNTS, asked_again
from tests.planning.test_gated import FROZEN, PREPARED
from tests.planning.test_judge import AT, GOAL, rule, run

LATER = AT + COUNTS + timedelta(seconds=1)
ASKED = [step.id for step in PREPARED.steps if ".preflight." in step.id]


def ids(found: Run, seconds: float = 1.0) -> list[str]:
    return [step.id for step in asked_again(found, AT + COUNTS + timedelta(seconds=seconds))]


def test_old_answers_of_a_prepared_run_are_asked_for_again():
    assert ASKED
    assert ids(PREPARED) == ASKED
    assert ids(PREPARED, seconds=0) == []
    assert ids(run(1)) == []  # it is still preparing, and will not wait
    assert ids(run(9)) == []  # its pause has begun


def test_what_has_begun_something_is_no_question():
    step = PREPARED.plan.steps[0]
    watch = replace(step, undo=Undo("watch", {}, "stop watching"))
    plan = replace(PREPARED.plan, steps=(watch, *PREPARED.plan.steps[1:]))
    assert step.id in ASKED
    assert step.id not in ids(replace(PREPARED, plan=plan))


def test_nothing_is_stopped_before_the_answers_are_there():
    found = rule(History(runs=(PREPARED,)), GOAL, LATER)
    assert [(ready.step.id, ready.attempt) for ready in found.ready] == [(id_, 2) for id_ in ASKED]
    again = {id_: (*PREPARED.attempts[id_], Attempt(2, LATER, 1)) for id_ in ASKED}
    asking = replace(PREPARED, attempts={**PREPARED.attempts, **again})
    assert all(ready.adopt for ready in rule(History(runs=(asking,)), GOAL, LATER).ready)


def test_before_the_window_a_bad_answer_halts_the_leg_with_its_services_up():
    first, *_ = ASKED
    failed = Attempt(2, LATER, 1, Failed("NoSpace", "1 GiB is free"), LATER)
    found = replace(PREPARED, attempts={**PREPARED.attempts, first: (*PREPARED.attempts[first], failed)})
    assert rule(History(runs=(found,)), FROZEN, LATER).verdict.state is State.HALTED
