"""What would be done about a desired state, given what was seen: plans with the routes that explain them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.domain.catalog import Catalog
from reconciler.domain.desired import Desired
from reconciler.domain.observation import Observations
from reconciler.domain.plan import Plan
from reconciler.domain.position import Position
from reconciler.domain.route import Route, RoutePolicy
from reconciler.domain.run import History
from reconciler.errors import CatalogError
from reconciler.planning.ahead import legs_ahead
from reconciler.planning.dependency import waits_of
from reconciler.planning.exposure import bound
from reconciler.planning.journeys import order_of
from reconciler.planning.others import away_with_others
from reconciler.planning.position import position_of
from reconciler.planning.quarantine import in_force
from reconciler.planning.relations import sort_legs
from reconciler.planning.route import find_route
from reconciler.planning.scene import Scene, groups_of
from reconciler.planning.ways import Node

NOTHING = History()


@dataclass(frozen=True, slots=True)
class Preview:
    """A group's plan (None: nothing to do), and for each of its services the whole route to its goal.

    `others` says what others have still to move, where that is all. `hosts` says how many hosts each service of the
    plan has, also those that the plan leaves alone.
    """

    group: str
    plan: Plan | None
    routes: tuple[Route, ...] = ()
    hosts: Mapping[str, int] = field(default_factory=dict)
    others: str = ""


def preview(desired: Desired, catalog: Catalog, seen: Observations, now: datetime) -> tuple[Preview, ...]:
    """Plan every group to its goal, leg by leg, as a daemon would that has an empty journal.

    All legs stand in an order that keeps the relations between components; without such, first legs come first.
    """
    desired = in_force(desired, now.date())
    scene = Scene(desired=desired, catalog=catalog, history=NOTHING, now=now)
    scene = bound(scene, seen)
    places = {each.service: each for each in positions_of(desired, catalog, seen)}
    order = order_of(places.values(), scene)
    scene = replace(scene, order=order)
    found = {
        Node(group, leg): preview_of(group, plan and replace(plan, waits_for=waits_of(group, leg, order)), scene)
        for group, services in groups_of(desired).items()
        for leg, plan in enumerate(legs_ahead(group, [places[name] for name in services], scene), start=1)
    }
    for group, services in groups_of(desired).items():
        if found[Node(group, 1)].plan is None:
            away = away_with_others([places[name] for name in services], scene)
            found[Node(group, 1)] = replace(found[Node(group, 1)], others=away)
    nodes = sorted(found, key=lambda node: (node.number, node.group))
    arrows = [arrow for arrow in order.arrows if arrow.first in found and arrow.then in found]
    return tuple(found[node] for node in dict.fromkeys([*sort_legs(nodes, arrows), *nodes]))


def preview_of(group: str, plan: Plan | None, scene: Scene) -> Preview:
    """Put beside a plan what explains it."""
    services = (
        {} if plan is None else {each.service: scene.desired.services.get(each.service) for each in plan.services}
    )
    hosts = {name: len(service.hosts) for name, service in services.items() if service is not None}
    return Preview(group, plan, routes_of(plan, scene), hosts)


def positions_of(
    desired: Desired, catalog: Catalog, seen: Observations, history: History = NOTHING
) -> tuple[Position, ...]:
    """Place every service."""
    return tuple(position_of(service, desired, catalog, seen, history) for service in desired.services.values())


def routes_of(plan: Plan | None, scene: Scene) -> tuple[Route, ...]:
    """Explain the way of each service of a forward plan, beyond this leg to its goal; none for a refresh."""
    if plan is None or plan.direction == "back":
        return ()
    routes = []
    for each in plan.services:
        service = scene.desired.services.get(each.service)
        if service is None or not each.start or each.start == service.release:
            continue
        try:
            policy = RoutePolicy(service.policy)
            routes.append(find_route(scene.catalog, service.component, each.start, service.release, policy))
        except CatalogError:
            continue  # a pinned plan may speak of what the catalog no longer knows
    return tuple(routes)
