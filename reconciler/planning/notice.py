"""Says for each step of a plan whether users notice: from its phase, and from who is out of work meanwhile.

The rule. What is done side by side is one round: a wave, else a phase. A host is out of work for a service from the
round that stops it (all of quiesce; units or containers stopped, replaced or restarted, a server drained at its load
balancer, a reboot) to the end of the one that starts it again, checks included.
While every host of the service is out, users see a *pause*; while some are, it is *degraded*: the others carry its
load. Where a cutover follows, users get to the new deployment only by it, and the pause lasts to its last step. All
else is not noticed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import groupby

from reconciler.domain.plan import Json, Plan, Step
from reconciler.domain.procedure import Phase


class Notice(StrEnum):
    """What users notice while a step is done."""

    NONE = "none"
    DEGRADED = "degraded"
    PAUSE = "pause"


def notices(plan: Plan, hosts: Mapping[str, int]) -> dict[str, Notice]:
    """Return step id to what users notice; `hosts` says how many hosts each service has, else those of the plan."""
    by_service: dict[str, list[Step]] = {}
    for step in plan.steps:
        by_service.setdefault(step.service, []).append(step)
    return {
        step_id: notice
        for service, steps in by_service.items()
        for step_id, notice in _of_service(steps, hosts.get(service, 0))
    }


def _of_service(steps: Sequence[Step], hosts: int) -> Iterable[tuple[str, Notice]]:
    total = hosts or len({step.host for step in steps if step.host})
    rounds = [tuple(members) for _, members in groupby(steps, lambda step: (step.phase, step.wave))]
    cutover = max((place for place, members in enumerate(rounds) if members[0].phase == "cutover"), default=-1)
    out: set[str] = set()
    paused = False
    for place, members in enumerate(rounds):
        out |= {step.host for step in members if step.host and stops(step)}
        paused = len(out) >= total > 0 or (paused and place <= cutover)
        now = Notice.PAUSE if paused else Notice.DEGRADED if out else Notice.NONE
        yield from ((step.id, now) for step in members)
        out -= {step.host for step in members if starts(step)}


_STOPPING: Mapping[str, Collection[Json]] = {
    "units": {"stopped", "restarted"},
    "container": {"stop", "replace", "retire"},
    "load_balancer": {"drain", "maint"},
    "cluster_manager": {"standby"},
    "reboot": {None},
}
_STARTING: Mapping[str, Collection[Json]] = {
    "units": {"started", "restarted"},
    "container": {"start", "run", "replace"},
    "load_balancer": {"ready"},
    "cluster_manager": {"online"},
    "reboot": {None},
}
"""By step kind, what takes a host out of work and what brings it back: a `state` or an `action` of its arguments."""


def stops(step: Step) -> bool:
    """Tell whether a step takes its host out of work."""
    return step.phase is Phase.QUIESCE or _does(step, _STOPPING)


def starts(step: Step) -> bool:
    """Tell whether a step brings its host back to work."""
    return _does(step, _STARTING)


def _does(step: Step, what: Mapping[str, Collection[Json]]) -> bool:
    return step.args.get("state", step.args.get("action")) in what.get(step.kind, ())
