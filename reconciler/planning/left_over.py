"""What an open leg has still to do when a newer plan takes it over and nothing but builds is left to move. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from reconciler.domain.plan import Step
from reconciler.domain.procedure import Phase
from reconciler.domain.run import Run
from reconciler.planning.settled import OF_ONE_HOST
from reconciler.steps import barrier, watch

_OF_GOAL = frozenset({Phase.BACKFILL, Phase.CUTOVER, Phase.CONTRACT, Phase.RETIRE})
"""Phases whose steps mean one release: with another goal they are not what is wanted any more."""


def left_over(run: Run, goals: Mapping[str, str]) -> tuple[Step, ...]:
    """Return what a superseded run had still to do beside moving hosts, for services with these goals.

    Backfill and contract belong to the release that hosts were moved to, and what was taken out of work or created on
    the way is given back in `finish`: no newer plan knows of them, which moves hosts that differ and nothing else.
    """
    wanted = {route.service for route in run.plan.services if goals.get(route.service) == route.goal}
    begun, moving = _columns(run)

    def is_left(step: Step) -> bool:
        column = (step.service, step.host)
        match step.phase:
            case Phase.FINISH:
                return True
            case Phase.ROLL:  # a host that was begun with must be given back
                return step.kind not in OF_ONE_HOST and (column in begun or column not in moving)
            case phase:
                return phase in _OF_GOAL and step.service in wanted

    rest = [step for step in run.plan.steps if not _over(run, step) and is_left(step)]
    return tuple(_of_run(step, run) for step in _linked(rest, run.plan.steps))


def watches_left(run: Run) -> tuple[Step, ...]:
    """Return what ends the watches that a superseded run began: a plan that walks on begins its own by their names."""
    begun = {(step.host, step.args["name"]) for step in run.plan.steps if _watch(step, "start") and run.done(step.id)}
    ends = (step for step in run.plan.steps if _watch(step, "stop") and not run.done(step.id))
    return tuple(_renamed(_of_run(each, run), run) for each in ends if (each.host, each.args["name"]) in begun)


def with_rest(steps: Sequence[Step], rest: Sequence[Step]) -> tuple[Step, ...]:
    """Put what is left over behind steps that move hosts, and what finishes last; newer steps replace older ones.

    Where services of a group go one procedure after another, what finishes the first of them stays before the next.
    """
    known = {step.id for step in steps}
    rest = _linked([step for step in rest if step.id not in known], rest)
    waited_for: set[str] = set()
    for step in reversed(steps):
        if step.phase is not Phase.FINISH or step.id in waited_for:
            waited_for |= {step.id, *step.after}
    moves = [step for step in steps if step.id in waited_for]
    ends = _ends(moves)
    left = [step if step.after else replace(step, after=ends) for step in rest]
    before = [step for step in left if step.phase is not Phase.FINISH]
    last = _ends(before)
    finish = [replace(step, after=(*step.after, *last)) for step in steps if step.id not in waited_for]
    return (*moves, *before, *finish, *(step for step in left if step.phase is Phase.FINISH))


def _columns(run: Run) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Return the hosts of services whose roll was begun, and those that it moves."""
    rolled = [step for step in run.plan.steps if step.phase is Phase.ROLL]
    begun = {(step.service, step.host) for step in rolled if run.attempted(step.id)}
    return begun, {(step.service, step.host) for step in rolled if step.kind in OF_ONE_HOST}


def _over(run: Run, step: Step) -> bool:
    return run.done(step.id) or (step.advisory and run.attempted(step.id)) or step.kind == barrier.KIND


def _watch(step: Step, action: str) -> bool:
    return step.kind == watch.KIND and step.args["action"] == action


def _renamed(step: Step, run: Run) -> Step:
    name, _, host = step.id.rpartition("@")
    return replace(step, id=f"{name}.of-{run.id}@{host}", phase=Phase.FINISH, after=())


def _of_run(step: Step, run: Run) -> Step:
    """Let a watch that this run began be checked and ended as its own, whoever ends it."""
    return replace(step, args={"run": run.id, **step.args}) if step.kind == watch.KIND else step


def _linked(kept: Sequence[Step], of: Iterable[Step]) -> tuple[Step, ...]:
    """Let steps wait for those that were kept of all before them; they stand in an order that goes forward."""
    names = {step.id for step in kept}
    waits: dict[str, tuple[str, ...]] = {}  # by step, those kept that it waits for
    for step in of:
        nearest = ((before,) if before in names else waits.get(before, ()) for before in step.after)
        waits[step.id] = tuple(dict.fromkeys(each for group in nearest for each in group))
    return tuple(replace(step, after=waits[step.id]) for step in kept)


def _ends(steps: Sequence[Step]) -> tuple[str, ...]:
    """Return the steps for which no other of them waits."""
    waited_for = {each for step in steps for each in step.after}
    return tuple(step.id for step in steps if step.id not in waited_for)
