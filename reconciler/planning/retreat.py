"""The table "going back" of a plan: up to which step it is taken back, by whom, and how.

It says what `open_run` and `way_back` will do; docs/explanation/going-back.md tells the whole of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reconciler.domain.plan import Plan, Step
from reconciler.domain.procedure import Phase
from reconciler.planning.held_node import leading, undo_of


class Retreat(StrEnum):
    """What becomes of a plan that fails."""

    DROPPED = "dropped"  # nothing of what serves was touched
    AUTOMATIC = "automatic"  # the daemon takes it back by itself, and halts
    BY_COMMIT = "by-commit"  # it holds in place, halted, until a commit takes the goal back
    REFUSED = "refused"  # beyond the point of no return


TEXTS = {
    Retreat.DROPPED: "nothing to take back; a revert drops the plan",
    Retreat.AUTOMATIC: "a failure takes it back without asking, and halts; so does a revert",
    Retreat.BY_COMMIT: "a failure holds it in place, halted; a revert takes it back",
    Retreat.REFUSED: "it is not taken back; a restore by hand from the backup set loses what was written since",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """What is done alike on hosts to take steps back; no hosts for what the daemon does."""

    title: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The steps from one place of a plan to another that are taken back in the same way.

    `undo` is what is done to take back all that was done until `last`, newest first. `loses` names the services that
    serve again here and whose databases would be put back as they were at their backup: what was written since stops
    that, until an `accept` in git says that it may be lost.
    """

    retreat: Retreat
    first: Step
    last: Step
    undo: tuple[Undoing, ...]
    loses: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Say what a failure or a revert does here."""
        return TEXTS[self.retreat]


def stretches(plan: Plan) -> tuple[Stretch, ...]:
    """Divide a plan by how it is taken back, in its order; empty for one that is blocked or goes back itself."""
    if plan.direction == "back" or not plan.steps:
        return ()
    marked = list(_marked(plan.steps))
    starts = [place for place, each in enumerate(marked) if place == 0 or marked[place - 1] is not each]
    ends = [*starts[1:], len(marked)]
    served: set[str] = set()
    found = []
    for start, end in zip(starts, ends, strict=True):
        retreat, done = marked[start], plan.steps[:end]
        served |= {step.service for step in plan.steps[start:end] if step.phase is Phase.ROLL}
        undo = tuple(_undo(done)) if retreat is not Retreat.REFUSED else ()
        loses = _losing(done, served) if undo else ()
        found.append(Stretch(retreat=retreat, first=done[start], last=done[-1], undo=undo, loses=loses))
    return tuple(found)


def _marked(steps: Iterable[Step]) -> Iterator[Retreat]:
    """Say for each step what its failure means; later steps are never more forgiving than earlier ones."""
    order = tuple(Retreat)
    now = Retreat.DROPPED
    for step in steps:
        now = max(now, _alone(step), key=order.index)
        yield now


def _alone(step: Step) -> Retreat:
    if step.point_of_no_return:
        return Retreat.REFUSED
    if step.phase in {Phase.CUTOVER, Phase.RETIRE, Phase.FINISH} or (step.phase is Phase.ROLL and (step.wave or 0) > 0):
        return Retreat.BY_COMMIT
    return Retreat.DROPPED if step.phase in {Phase.PREFLIGHT, Phase.PREPARE} else Retreat.AUTOMATIC


def _undo(done: Sequence[Step]) -> Iterator[Undoing]:
    """Say what takes steps back, newest first; what is the same for many steps of a host is done once."""
    hosts: dict[str, dict[str, None]] = {}
    leads = leading(done)
    for step in reversed(done):
        undo = undo_of(step, leads)
        if undo is not None and step.kind != "barrier" and not (undo.kind == "restore" and step.service in leads):
            hosts.setdefault(undo.title, {}).setdefault(step.host, None)
    for title, names in hosts.items():
        yield Undoing(title=title, hosts=tuple(reversed([name for name in names if name])))


def _losing(done: Iterable[Step], served: set[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(s.service for s in done if s.undo and s.undo.kind == "restore" and s.service in served))
