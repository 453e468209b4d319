"""Says for each step of a plan whether users notice: from its phase, and from who is out of work meanwhile.

The rule. A host is out of work for a service from the step that stops it (quiesce, units stopped or restarted) until
the last step of the phase that starts it again, its checks included. While every host of the service is out, users see
a *pause*; while some are, it is *degraded*: the others carry its load. Where a cutover follows, users get to the new
deployment only by it, so a pause lasts to its last step. Everything else is not noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from reconciler.domain.plan import Plan, Step
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
    total = max(hosts, len({step.host for step in steps if step.host}))
    returns = _returns(steps)
    cutover = max((place for place, step in enumerate(steps) if step.phase == "cutover"), default=-1)
    out: set[str] = set()
    paused = False
    for place, step in enumerate(steps):
        if step.host and _stops(step):
            out.add(step.host)
        paused = place <= cutover and (paused or len(out) >= total)
        yield step.id, _notice(len(out), total, paused=paused)
        if returns.get(step.host) == place:
            out.discard(step.host)


def _notice(out: int, total: int, *, paused: bool) -> Notice:
    if paused or (out and out >= total):
        return Notice.PAUSE
    return Notice.DEGRADED if out else Notice.NONE


def _stops(step: Step) -> bool:
    return step.phase is Phase.QUIESCE or step.args.get("state") in {"stopped", "restarted"}


def _returns(steps: Sequence[Step]) -> dict[str, int]:
    """Return host to the place of the step after which it works again: the last one of the phase that starts it."""
    starting = {(step.host, step.phase) for step in steps if step.args.get("state") in {"started", "restarted"}}
    return {step.host: place for place, step in enumerate(steps) if (step.host, step.phase) in starting}
