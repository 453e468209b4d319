"""Plans a group's legs one after the other, by placing its services where each leg leaves them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from reconciler.domain.plan import Plan
from reconciler.domain.position import HostPosition, Position
from reconciler.planning.build import build_for
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
    for _ in range(MAX_LEGS):
        if plan is None or plan.blocked or not plan.hops or plan.direction == "back" or _arrives(plan, scene):
            return
        positions = [_after(position, plan, scene) for position in positions]
        plan = make_plan(group, positions, scene)
        if plan is None or not plan.hops:
            return
        yield plan


def _arrives(plan: Plan, scene: Scene) -> bool:
    """Tell whether a leg ends at the goal of all that it moves."""
    return all(each.goal == scene.desired.services[each.service].release for each in plan.services)


def _after(position: Position, plan: Plan, scene: Scene) -> Position:
    """Place a service where a leg leaves it."""
    goal = next((each.goal for each in plan.services if each.service == position.service), "")
    if not goal:
        return position
    return replace(
        position,
        release=goal,
        databases=tuple(replace(each, releases=(goal,), text="") for each in position.databases),
        hosts=tuple(_moved(position.service, host, goal, scene) for host in position.hosts),
    )


def _moved(name: str, host: HostPosition, goal: str, scene: Scene) -> HostPosition:
    service = scene.desired.services[name]
    if goal_of(service, host.host) != service.release:
        return host  # an override holds it where it is
    build = build_for(service, scene.desired.hosts[host.host], goal, version_of(service, scene.catalog, goal))
    drift = () if goal == service.release else (f"it runs {goal}",)
    if build is None:
        return replace(host, release=goal, drift=drift)
    return replace(
        host, release=goal, drift=drift, link_path=build.path, packages=dict(build.packages) or host.packages
    )
