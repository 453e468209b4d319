"""Plans and judges rehearsals: the walk of a service's databases on copies, beside all that serves. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from reconciler.domain.desired import Desired
from reconciler.domain.journal import Draft, Kind
from reconciler.domain.plan import Plan
from reconciler.domain.position import Position
from reconciler.domain.reasons import Reason
from reconciler.domain.rehearsal import PREFIX, Rehearsed, group_of
from reconciler.domain.route import RoutePolicy
from reconciler.domain.run import History, Run
from reconciler.domain.verdict import Decision, State
from reconciler.planning.decision import ruling
from reconciler.planning.deployments import live, rehearsing
from reconciler.planning.leg import Leg
from reconciler.planning.route import find_route
from reconciler.planning.scene import Scene, block, finished, groups_of, inputs_of
from reconciler.planning.serial import plan_to_json
from reconciler.planning.setting import MissingBuildError, UnfitError
from reconciler.planning.stages import build_steps

PROCEDURE = "rehearsal"


def wanted(scene: Scene) -> tuple[str, ...]:
    """Return the services of which a rehearsal was asked for and has not begun, or of which policy wants one."""
    asked = [name for name in scene.history.rehearsals_asked if name in scene.desired.services]
    return tuple(dict.fromkeys((*asked, *_by_policy(scene))))


def _by_policy(scene: Scene) -> Iterator[str]:
    """Yield services whose leg waits for a rehearsal; one that failed for the same inputs is not begun anew."""
    for run in scene.history.open_legs():
        if run.plan.direction != "forward" or not run.prepared:
            continue
        for route in run.plan.services:
            service = scene.desired.services.get(route.service)
            if service is None or service.rehearsal_days == 0 or rehearsed(route.service, run.plan.inputs, scene):
                continue
            yield service.name


def rehearsed(service: str, inputs: str, scene: Scene) -> Rehearsed | None:
    """Return the newest rehearsal for these inputs, as long as policy lets it count."""
    for run in reversed(scene.history.runs):
        if run.group == group_of(service) and run.plan.inputs == inputs:
            found = of_run(run)
            old = run.ended_at is not None and scene.now - run.ended_at > timedelta(days=_days(service, scene.desired))
            return None if old else found
    return None


def _days(service: str, desired: Desired) -> int:
    found = desired.services.get(service)
    return found.rehearsal_days if found is not None and found.rehearsal_days else 36500


def of_run(run: Run) -> Rehearsed:
    """Say how a rehearsal went."""
    state = {"": "running", "done": "passed"}.get(run.ended, "failed")
    return Rehearsed(service=run.group.removeprefix(PREFIX), run=run.id, state=state)


def newest(history: History) -> tuple[Rehearsed, ...]:
    """Return the newest rehearsal of each service."""
    found = {run.group: of_run(run) for run in history.runs if run.group.startswith(PREFIX)}
    return tuple(found.values())


def begin(service: str, position: Position, scene: Scene) -> Decision:
    """Pin a rehearsal, or say why there is none; either answers whoever asked."""
    plan = plan_of(service, position, scene)
    group = group_of(service)
    if plan.blocked:
        first = plan.blocked[0]
        refused = Draft(Kind.REHEARSAL_REFUSED, group=group, body={"service": service, "text": first.text})
        return replace(ruling(group, State.BLOCKED, Reason(first.reason), first.text), drafts=(refused,), plan=plan)
    run_id = f"{plan.id}-{scene.history.begun + 1}"
    draft = Draft(Kind.PLAN_PINNED, group=group, run=run_id, body={"plan": plan_to_json(plan)})
    return replace(
        ruling(group, State.PROGRESSING, Reason.STEP_RUNNING, "starting", run_id), drafts=(draft,), plan=plan
    )


def plan_of(service: str, position: Position, scene: Scene) -> Plan:
    """Plan the walk of a service's databases from where they stand to the goal, on the databases for rehearsals."""
    declared = scene.desired.services[service]
    group = next(group for group, names in groups_of(scene.desired).items() if service in names)
    draft = Plan(
        id="", group=group_of(service), inputs=inputs_of(group, scene.desired), services=(), direction="rehearse"
    )
    if declared.rehearsal is None:
        why = f"{service}: the desired state names no databases for rehearsals"
        return finished(replace(draft, blocked=(block(Reason.REHEARSAL_UNFIT, why),)))
    if position.blocks:
        return finished(replace(draft, blocked=position.blocks))
    if position.release == declared.release:
        why = f"{service} is at {declared.release} already: there is nothing to rehearse"
        return finished(replace(draft, blocked=(block(Reason.REHEARSAL_UNFIT, why),)))
    route = find_route(
        scene.catalog, declared.component, position.release, declared.release, RoutePolicy(declared.policy)
    )
    if not route.found:
        why = "; ".join(f"{each.start} to {each.goal}: {each.reason.text}" for each in route.refused)
        return finished(replace(draft, blocked=(block(Reason.NO_ROUTE, f"{service}: {why}"),)))
    return _walk(draft, service, position, route.stops, scene)


def _walk(draft: Plan, service: str, position: Position, stops: tuple[str, ...], scene: Scene) -> Plan:
    declared = scene.desired.services[service]
    scratch = rehearsing(declared)
    leg = Leg(
        service=scratch,
        position=position,
        stops=stops,
        moving=(scene.desired.hosts[scratch.bootstrap],),
        procedure=scene.desired.procedures[PROCEDURE],
        old=live(declared, scene.history),
    )
    try:
        steps = build_steps([leg], scene.desired, scene.catalog, {service: scratch}, one_by_one=True)
    except MissingBuildError as error:
        return finished(replace(draft, blocked=(block(Reason.NO_BUILD, str(error)),)))
    except UnfitError as error:
        return finished(replace(draft, blocked=(block(Reason.REHEARSAL_UNFIT, str(error)),)))
    return finished(replace(draft, steps=steps))
