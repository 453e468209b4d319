"""Plans a group's legs one after the other, by placing its services where each leg leaves them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from reconciler.domain.desired import Service
from reconciler.domain.outcome import Done
from reconciler.domain.plan import Plan
from reconciler.domain.position import DatabasePosition, HostPosition, Position
from reconciler.domain.procedure import Phase
from reconciler.domain.run import Attempt, Run
from reconciler.planning.build import build_for
from reconciler.planning.deployments import live
from reconciler.planning.plan import make_plan
from reconciler.planning.position import goal_of, version_of
from reconciler.planning.scene import Scene

MAX_LEGS = 64
"""How many legs of a group are planned ahead; no series has more releases."""


def legs_ahead(group: str, positions: Sequence[Position], scene: Scene) -> Iterator[Plan | None]:
    """Yield the plan of the next leg, None when nothing is to be done, then those of the legs after it.

    What is blocked ends the way, and so does a leg that only brings another build or goes back.
    """
    plan = make_plan(group, positions, scene)
    yield plan
    for number in range(MAX_LEGS):
        if plan is None or plan.blocked or not plan.hops or plan.direction == "back" or _arrives(plan, scene):
            return
        scene = _done(plan, f"ahead-{number}", scene)
        positions = [_after(position, plan, scene) for position in positions]
        plan = make_plan(group, positions, scene)
        if plan is None or not plan.hops:
            return
        yield plan


def _arrives(plan: Plan, scene: Scene) -> bool:
    """Tell whether a leg ends at the goal of all that it moves."""
    return all(each.goal == scene.desired.services[each.service].release for each in plan.services)


def _done(plan: Plan, name: str, scene: Scene) -> Scene:
    """Let the journal tell that a leg was done, with the cutovers by which deployments took over."""
    done = (Attempt(1, scene.now, 0, Done({}), scene.now),)
    cut = {step.id: done for step in plan.steps if step.phase is Phase.CUTOVER}
    run = Run(id=name, plan=plan, started_at=scene.now, attempts=cut, ended="done", ended_at=scene.now)
    return replace(scene, history=replace(scene.history, runs=(*scene.history.runs, run)))


def _after(position: Position, plan: Plan, scene: Scene) -> Position:
    """Place a service where a leg leaves it: on the hosts that took over, if others did."""
    goal = next((each.goal for each in plan.services if each.service == position.service), "")
    if not goal:
        return position
    serving = live(scene.desired.services[position.service], scene.history)
    hosts, here = (*position.hosts, *position.second), frozenset(serving.hosts)
    return replace(
        position,
        release=goal,
        databases=tuple(DatabasePosition(name=name, releases=(goal,)) for name in sorted(serving.databases)),
        hosts=tuple(_moved(serving, host, goal, scene) for host in hosts if host.host in here),
        second=tuple(host for host in position.second if host.host not in here),
    )


def _moved(service: Service, host: HostPosition, goal: str, scene: Scene) -> HostPosition:
    if goal_of(service, host.host) != service.release:
        return host  # an override holds it where it is
    build = build_for(service, scene.desired.hosts[host.host], goal, version_of(service, scene.catalog, goal))
    drift = () if goal == service.release else (f"it runs {goal}",)
    if build is None:
        return replace(host, release=goal, drift=drift)
    return replace(
        host, release=goal, drift=drift, link_path=build.path, packages=dict(build.packages) or host.packages
    )
