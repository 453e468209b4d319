"""Puts a group before the gates: may its leg begin, or go on? Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from reconciler.domain.backup import BackupSet
from reconciler.domain.gate import Holds
from reconciler.domain.plan import Block, Plan, Step
from reconciler.domain.procedure import PREPARING, Phase
from reconciler.domain.quarantine import Aside
from reconciler.domain.reasons import Reason
from reconciler.domain.run import Halt, Run
from reconciler.domain.verdict import Decision, State
from reconciler.gates import Case, closed, gates
from reconciler.planning.decision import ruling
from reconciler.planning.durations import durations_of
from reconciler.planning.kept import kept_sets
from reconciler.planning.pause import least_s
from reconciler.planning.proved_first import puts_back
from reconciler.planning.put_back import to_put_back
from reconciler.planning.quarantine import away, waiting_since
from reconciler.planning.rehearsal import rehearsed
from reconciler.planning.repeats import moved
from reconciler.planning.retention import FILES
from reconciler.planning.scene import Scene, accepted, groups_of
from reconciler.planning.set_aside import policy_of


@dataclass(frozen=True, slots=True)
class Held:
    """A group before closed gates: what it waits for, and whether it may prepare meanwhile."""

    decision: Decision
    holds: Holds

    def lets(self, step: Step) -> bool:
        """Tell whether a step may begin all the same; what finishes gives up what was taken."""
        match self.holds:
            case Holds.SCHEMA:
                return step.phase is not Phase.MIGRATE and not (step.phase is Phase.BACK_OUT and puts_back(step))
            case Holds.SERVING:
                return step.phase is Phase.FINISH or step.phase in PREPARING
            case Holds.EVERYTHING:
                return step.phase is Phase.FINISH


def held_at_a_gate(plan: Plan, scene: Scene, run: Run | None = None, *, wave: int = 0) -> Held | None:
    """Return what a group waits for, with every reason; None when all gates are open.

    `run` is the open one, and `wave` what it would begin next. What goes back passes all gates but those that say
    otherwise; rehearsals pass all.
    """
    if plan.direction == "rehearse":
        return None
    back = plan.direction == "back" or (run is not None and run.going_back)
    case = _case(plan, scene, begun=run is not None and not run.preparing)
    aside = _aside_back(plan, run, scene) if back else _aside(plan, run, scene)
    case = replace(case, aside=tuple(aside), back=back)
    if run is not None:
        case = replace(case, wave=wave, run=run.id)
    found = closed(case)
    if not found:
        return None
    first = found[0]
    decision = ruling(plan.group, State.WAITING, Reason(first.reason), first.text, run.id if run else "")
    blocks = tuple(Block(each.reason, each.text, each.hint, each.gate) for each in found)
    verdict = replace(decision.verdict, hint=first.hint, blocks=blocks)
    holds = {each.holds for each in found}
    return Held(replace(decision, verdict=verdict, plan=plan), next(each for each in Holds if each in holds))


def _aside(plan: Plan, run: Run | None, scene: Scene) -> Iterator[Aside]:
    """Yield the quarantined hosts of services that are stopped for a schema step which was not begun yet."""
    stopped = {step.service for step in plan.steps if step.phase is Phase.QUIESCE}
    ahead = (step for step in plan.steps if step.phase is Phase.MIGRATE)
    changed = {step.service for step in ahead if run is None or not run.attempted(step.id)}
    for each in scene.aside:
        if each.service in stopped & changed:
            since = waiting_since(each.service, run, away(scene.desired)) if run else None
            yield replace(each, since=since)


def _aside_back(plan: Plan, run: Run | None, scene: Scene) -> Iterator[Aside]:
    """Yield the quarantined hosts of services whose rows are still to be put back."""
    changed = {step.service for step in (to_put_back(run) if run else filter(puts_back, plan.steps))}
    for each in scene.aside:
        if each.service in changed:
            yield replace(each, since=waiting_since(each.service, run, away(scene.desired)) if run else None)


def _stops_all(halt: Halt, scene: Scene) -> bool:
    return policy_of(halt.group, scene).scope == "fleet"


def _touched(plan: Plan, service: str) -> tuple[str, ...]:
    """Return the hosts on which a plan does something for a service, in its order."""
    return tuple(dict.fromkeys(step.host for step in plan.steps if step.service == service and step.host))


def _rehearsals(plan: Plan, scene: Scene) -> Iterator[tuple[str, str]]:
    """Yield how the rehearsal of each service went for which git asks for one, empty where there was none."""
    for route in plan.services:
        service = scene.desired.services.get(route.service)
        if service is not None and service.rehearsal_days and len(route.route) > 1:
            found = rehearsed(service.name, plan.inputs, scene)
            yield service.name, found.state if found else ""


def _sets(plan: Plan, scene: Scene) -> dict[str, tuple[BackupSet, ...]]:
    """Return the dumps of the services whose databases a plan writes, where git says how old they may be."""
    written = {step.service for step in plan.steps if step.phase is Phase.MIGRATE}
    asked = [name for name in written if scene.desired.backups_of(name).within_hours is not None]
    dumps = [each for each in kept_sets(scene.history) if each.kind in FILES] if asked else []
    return {name: tuple(each for each in dumps if each.service == name) for name in asked}


def _case(plan: Plan, scene: Scene, *, begun: bool) -> Case:
    services = {plan.group, *groups_of(scene.desired).get(plan.group, ())}
    measure = bool(scene.desired.windows) and not begun
    return Case(
        group=plan.group,
        desired=scene.desired,
        now=scene.now,
        plan=plan.id,
        services=tuple(route.service for route in plan.services),
        hosts={route.service: _touched(plan, route.service) for route in plan.services},
        free=scene.free,
        rehearsals=dict(_rehearsals(plan, scene)),
        sets={} if begun else _sets(plan, scene),
        moved={} if begun else moved(plan, scene.history),
        alerts=scene.alerts,
        approvals=(*scene.history.approvals, *scene.desired.approved),
        begun=begun,
        least_s=least_s(plan, durations_of(scene.history)) if measure else 0.0,
        halts=tuple(each for each in scene.history.halts if each.group != plan.group and _stops_all(each, scene)),
        waived=frozenset(name for name in gates() if accepted(name, scene) & services),
    )
