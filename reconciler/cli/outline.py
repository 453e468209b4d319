"""The outline of a plan that its pictures share: phases, and below them hops or waves, and below these the steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from reconciler.domain.plan import Plan, Step
from reconciler.domain.procedure import Phase

TEXTS = {
    Phase.PREFLIGHT: "read-only questions",
    Phase.PREPARE: "before the pause, nobody notices",
    Phase.QUIESCE: "out of work: the pause begins",
    Phase.BACKUP: "a backup set, read back",
    Phase.MIGRATE: "schema steps",
    Phase.ROLL: "hosts move, wave by wave",
    Phase.BACKFILL: "online data migrations",
    Phase.CONTRACT: "what the old release cannot survive",
    Phase.RETIRE: "old things go",
    Phase.FINISH: "closing checks",
    Phase.BACK_OUT: "the way back",
}


@dataclass(frozen=True, slots=True)
class Part:
    """Steps that belong together: one hop, one wave, or simply all of a phase."""

    title: str
    steps: tuple[Step, ...]

    @property
    def lines(self) -> tuple[tuple[str, Step], ...]:
        """Return each step with its line, which names the host unless the title does."""
        alone = bool(self.title) and self.title.endswith(f": {self.steps[0].host}")
        return tuple((step.title if alone else label(step), step) for step in self.steps)


@dataclass(frozen=True, slots=True)
class Section:
    """A phase, in the order of the plan."""

    phase: Phase
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """Return what the phase is for."""
        return TEXTS[self.phase]


def sections(plan: Plan) -> tuple[Section, ...]:
    """Return the phases of a plan in order; a phase may come twice."""
    return tuple(
        Section(phase, tuple(_parts(tuple(steps), _spans(plan))))
        for phase, steps in groupby(plan.steps, lambda step: step.phase)
    )


def heading(plan: Plan) -> str:
    """Return a plan's first line."""
    ways = ", ".join(way(each.service, each.route, each.goal) for each in plan.services)
    count = f"{len(plan.steps)} steps" if plan.steps else "blocked"
    back = " back" if plan.direction == "back" else ""
    return f"{plan.group}:{back} {ways or 'no way'} ({count}, plan {plan.id})"


def way(service: str, route: Sequence[str], goal: str) -> str:
    """Word a service's part of a plan."""
    if len(route) > 1:
        return f"{service} {' → '.join(route)}"
    return f"{service} to another build of {goal}" if route else f"{service} to {goal}"


def stopped(plan: Plan) -> str:
    """Word what is out of work from quiesce on; empty when nothing is stopped beforehand."""
    hosts: dict[str, list[str]] = {}
    for step in plan.steps:
        if step.phase is Phase.QUIESCE and step.host not in hosts.setdefault(step.service, []):
            hosts[step.service].append(step.host)
    return "; ".join(f"{service} on {', '.join(names)}" for service, names in hosts.items())


def no_return(plan: Plan) -> str:
    """Word the point of no return."""
    step = next((step for step in plan.steps if step.point_of_no_return), None)
    if step is None:
        return "none: until its end this plan can be taken back from its backup set"
    return f"{step.title}{f' on {step.host}' if step.host else ''} ({step.phase})"


def label(step: Step) -> str:
    """Return a step's line."""
    return f"{step.title}{f' on {step.host}' if step.host else ''}"


def _spans(plan: Plan) -> frozenset[str]:
    """Return the hops that stand for a whole leg and so say nothing new."""
    return frozenset(f"{each.route[0]}>{each.route[-1]}" for each in plan.services if each.route)


def _parts(steps: Sequence[Step], spans: frozenset[str]) -> Iterator[Part]:
    for (hop, wave), members in groupby(steps, lambda step: (step.hop, step.wave)):
        found = tuple(members)
        hosts = ", ".join(dict.fromkeys(step.host for step in found if step.host))
        if wave is not None:
            name = "wave 0, the canary" if wave == 0 else f"wave {wave}"
            yield Part(f"{name}: {hosts}", found)
        elif hop and hop not in spans:
            yield Part(hop.replace(">", " → "), found)
        else:
            yield Part("", found)
