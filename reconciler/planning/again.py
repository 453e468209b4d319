"""Asks what a leg asked in preflight once more, where it waits for long before its pause. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from reconciler.domain.plan import Step
from reconciler.domain.procedure import Phase
from reconciler.domain.run import Run

COUNTS = timedelta(hours=6)
"""How long an answer counts before the pause: what was merged on Monday may wait for the window of Saturday."""


def asked_again(run: Run, now: datetime) -> tuple[Step, ...]:
    """Return the questions of a prepared run whose answers are too old to begin its pause on.

    What a step has begun, and would undo, is no question.
    """
    if not run.prepared or run.plan.direction != "forward":
        return ()
    return tuple(step for step in run.steps if _asks(step) and _is_old(step, run, now))


def _asks(step: Step) -> bool:
    return step.phase is Phase.PREFLIGHT and step.repeatable and step.undo is None


def _is_old(step: Step, run: Run, now: datetime) -> bool:
    last = run.last(step.id)
    return run.done(step.id) and last is not None and last.ended_at is not None and now - last.ended_at > COUNTS
