"""Reads where every service of a fleet is and where it is to go, leg by leg: what relations are asked of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from reconciler.domain.catalog import Service as Component
from reconciler.domain.desired import Service
from reconciler.domain.position import HostPosition, Position
from reconciler.domain.route import RoutePolicy
from reconciler.domain.rule import RELATING
from reconciler.domain.run import History, Run
from reconciler.planning.leg import legs_of
from reconciler.planning.position import goal_of
from reconciler.planning.relations import Order, order_legs
from reconciler.planning.route import find_route
from reconciler.planning.scene import Scene, groups_of
from reconciler.planning.ways import Way

Legs = tuple[tuple[str, ...], ...]


def order_of(positions: Iterable[Position], scene: Scene) -> Order:
    """Order the legs of the whole fleet; services that no rule relates to another have no place in it."""
    if not related(scene):
        return Order()
    at = {each.service: each for each in positions}
    return order_legs(tuple(_ways(at, scene)))


def related(scene: Scene) -> bool:
    """Tell whether a rule of any component in use names another component."""
    components = {service.component for service in scene.desired.services.values()}
    return any(rule.kind in RELATING for component in components for rule in scene.catalog.service(component).rules)


def _ways(at: Mapping[str, Position], scene: Scene) -> Iterator[Way]:
    for group, members in groups_of(scene.desired).items():
        run = scene.history.open_run(group) or scene.history.superseded(group)
        for rank, name in enumerate(members):
            if name in at:
                yield _way(at[name], rank, run, scene)


def _way(position: Position, rank: int, run: Run | None, scene: Scene) -> Way:
    service = scene.desired.services[position.service]
    component = scene.catalog.service(service.component)
    begun = _begun(service, run)
    start = begun[0] if begun else position.release
    index = {each.release.id: each.release.index for each in component.releases}
    legs: Legs = ()
    if start and run is not None and run.going_back:
        start, legs = min(begun or (start,), key=lambda name: index[name]), ()
    elif start:
        legs = ((begun,) if len(begun) > 1 else ()) + _legs(service, component, (begun or (start,))[-1], scene)
    if start and not legs and index[service.release] < index[start]:
        start = service.release  # on its way back: nothing may count on where it still is
    return Way(
        service=service.name,
        component=component,
        group=run.group if run else _group(service.name, scene),
        rank=rank,
        start=index[start] if start else None,
        legs=tuple(tuple(index[stop] for stop in leg) for leg in legs),
        held=dict(_held(service, position, index, scene.history)),
        others=service.moved_by == "others",
        procedure=service.procedure,
    )


def _group(service: str, scene: Scene) -> str:
    return next(group for group, members in groups_of(scene.desired).items() if service in members)


def _begun(service: Service, run: Run | None) -> tuple[str, ...]:
    """Return the stops of an open leg: until it ends, the service counts as where the leg began."""
    routes = run.plan.services if run else ()
    return next((each.route for each in routes if each.service == service.name), ())


def _legs(service: Service, component: Component, start: str, scene: Scene) -> Legs:
    """Cut the route that is left into legs; others go their own way, a hop at a time where the catalog knows one."""
    if start == service.release:
        return ()
    route = find_route(scene.catalog, component.name, start, service.release, RoutePolicy(service.policy))
    if service.moved_by == "others":
        order = [each.release.id for each in component.releases]
        ahead = order.index(service.release) > order.index(start)
        return tuple(pairwise(route.stops)) or (((start, service.release),) if ahead else ())
    if not route.hops:
        return ()
    return legs_of(route.stops, scene.desired.procedures[service.procedure], service)


def _held(
    service: Service, position: Position, index: Mapping[str, int], history: History
) -> Iterator[tuple[str, int | None]]:
    """Yield the hosts that stay behind by an override, and those that cannot be asked with the last build known."""
    for host in position.hosts:
        goal = goal_of(service, host.host)
        if goal != service.release:
            yield host.host, index[goal]
        elif host.unknown:
            known = _last_known(service, host, history)
            yield host.host, index.get(known)


def _last_known(service: Service, host: HostPosition, history: History) -> str:
    """Return the release that a host proved to run at the end of the newest leg that moved it."""
    for run in reversed(history.runs):
        proved = any(
            step.kind == "verify_host" and step.host == host.host and step.service == service.name and run.done(step.id)
            for step in run.plan.steps
        )
        if proved:
            return next((each.goal for each in run.plan.services if each.service == service.name), "")
    return ""
