"""Finds what a way back has still to put back, and since when nothing else keeps it from that. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.domain.outcome import Done
from reconciler.domain.plan import Step
from reconciler.domain.run import Run
from reconciler.planning.proved_first import puts_back


def to_put_back(run: Run) -> tuple[Step, ...]:
    """Return the steps that put rows back and would be begun, or begun again, in a run that goes back."""
    return tuple(step for step in run.steps if puts_back(step) and _waits(run, step))


def put_back_since(service: str, run: Run, gone: frozenset[str]) -> int | None:
    """Return the entry by which the newest of a service's steps that put rows back had all before it done, or None.

    What is of hosts that are gone is not waited for, only what comes before it.
    """
    steps = {step.id: step for step in run.steps}
    ahead = (step for step in to_put_back(run) if step.service == service)
    found = (_since(_before(step, steps), run, gone) for step in ahead)
    return max((each for each in found if each is not None), default=None)


def _waits(run: Run, step: Step) -> bool:
    last = run.last(step.id)
    return last is None or (last.outcome is not None and not isinstance(last.outcome, Done))


def _before(step: Step, steps: Mapping[str, Step]) -> Iterable[Step]:
    """Return all that a step waits for, however far before it."""
    found: dict[str, Step] = {}
    frontier = list(step.after)
    while frontier:
        current = frontier.pop()
        if current not in found:
            found[current] = steps[current]
            frontier += steps[current].after
    return found.values()


def _since(before: Iterable[Step], run: Run, gone: frozenset[str]) -> int | None:
    """Return the entry by which the last of these was done, or the run's first where none is; None while one is not."""
    last = [run.last(step.id) for step in before if step.host not in gone]
    ends = [each.ended_with for each in last if each is not None and isinstance(each.outcome, Done)]
    return max(ends, default=run.began_with) if len(ends) == len(last) else None
