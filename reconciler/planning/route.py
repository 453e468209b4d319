"""Solves the route: the shortest safe sequence of hops, with every stop and refusal explained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from reconciler.domain.catalog import Catalog, Service, ServiceRelease
from reconciler.domain.memo import memo
from reconciler.domain.route import Hop, Reason, Refusal, Route, RoutePolicy
from reconciler.planning.edges import OURS, Edge, Hops, judge_hop

Way = tuple[int, ...]


@memo
def find_route(
    catalog: Catalog, service: str, start: str, goal: str, policy: RoutePolicy = RoutePolicy.SUPPORTED
) -> Route:
    """Return the route of `service` from release `start` to release `goal`.

    It is the shortest one; of several as short, the one with more SLURP stops, then with older stops.
    Without a way the route has no hops, and `refused` says what stands between.

    Raises:
        CatalogError: a service or release is unknown.
    """
    known = catalog.service(service)
    first, last = known.at(start), known.at(goal)
    route = Route(service=service, start=first.release.id, goal=last.release.id, policy=policy)
    if first == last:
        return route
    if last.release.index < first.release.index:
        return replace(route, refused=(_never_down(first, last),))
    net = _Net.of(known, first, last, policy)
    ways = shortest_ways(net.steps, 0, len(net.stops) - 1)
    if not ways:
        return replace(route, refused=(*_in_the_way(net), _no_route(net, _way_out(catalog, route))))
    best, *others = sorted(ways, key=net.preference)
    return replace(
        route,
        hops=tuple(_explained(net, best)),
        equals=tuple(net.names(way) for way in others),
        refused=tuple(_avoided(net, best)),
    )


def shortest_ways(steps: Mapping[int, tuple[int, ...]], start: int, goal: int) -> list[Way]:
    """Return every way of fewest steps from `start` to `goal`; `steps` lists where each place leads.

    Steps must lead to greater numbers only. Start and goal being the same gives one way of one place.
    """
    fewest = _fewest(steps, start, goal)
    return list(_ways_on(steps, fewest, (start,))) if start in fewest else []


def _fewest(steps: Mapping[int, tuple[int, ...]], start: int, goal: int) -> dict[int, int]:
    """Return, for each place from `start` on that leads to `goal`, how many steps it takes."""
    fewest = {goal: 0}
    for place in range(goal - 1, start - 1, -1):
        reach = [fewest[following] for following in steps.get(place, ()) if following in fewest]
        if reach:
            fewest[place] = 1 + min(reach)
    return fewest


def _ways_on(steps: Mapping[int, tuple[int, ...]], fewest: Mapping[int, int], way: Way) -> Iterator[Way]:
    left = fewest[way[-1]]
    if left == 0:
        yield way
        return
    for following in steps[way[-1]]:
        if fewest.get(following) == left - 1:
            yield from _ways_on(steps, fewest, (*way, following))


@dataclass(frozen=True, slots=True)
class _Net:
    """The releases from start to goal, and where each place among them leads in one hop."""

    service: Service
    policy: RoutePolicy
    stops: tuple[ServiceRelease, ...]
    steps: Mapping[int, tuple[int, ...]]
    judged: dict[tuple[int, int], Hop | Refusal] = field(default_factory=dict)

    @classmethod
    def of(cls, service: Service, first: ServiceRelease, last: ServiceRelease, policy: RoutePolicy) -> _Net:
        stops = tuple(
            each for each in service.releases if first.release.index <= each.release.index <= last.release.index
        )
        may = Hops.of(service, policy)
        places = range(len(stops))
        steps = {
            low: tuple(high for high in places[low + 1 :] if may.hop(Edge(service, stops[low], stops[high])))
            for low in places
        }
        return cls(service, policy, stops, steps)

    def verdict(self, low: int, high: int) -> Hop | Refusal:
        """Judge the edge between two places, with all that is to be said of it."""
        if (low, high) not in self.judged:
            self.judged[low, high] = judge_hop(Edge(self.service, self.stops[low], self.stops[high]), self.policy)
        return self.judged[low, high]

    def preference(self, way: Way) -> tuple[int, Way]:
        """Order ways of one length: more SLURP stops first, then older stops."""
        return -sum(self.stops[place].release.slurp for place in way), way

    def names(self, way: Way) -> tuple[str, ...]:
        return tuple(self.stops[place].release.id for place in way)

    def refusal(self, low: int, high: int) -> Refusal | None:
        verdict = self.verdict(low, high)
        return verdict if isinstance(verdict, Refusal) else None


def _explained(net: _Net, way: Way) -> Iterator[Hop]:
    """Yield the hops; each that does not end at the goal also says why it stops there."""
    beyond = (*way[2:], None)
    for low, high, next_stop in zip(way, way[1:], beyond, strict=False):
        hop = net.verdict(low, high)
        assert isinstance(hop, Hop)
        refusal = net.refusal(low, next_stop) if next_stop is not None else None
        yield replace(hop, reasons=(*hop.reasons, refusal.reason)) if refusal else hop


def _avoided(net: _Net, way: Way) -> Iterator[Refusal]:
    """Yield the straighter edges: from each stop over the next one, and from each stop to the goal."""
    goal = way[-1]
    edges = dict.fromkeys(edge for low, over in zip(way, way[2:], strict=False) for edge in ((low, goal), (low, over)))
    for low, high in edges:
        refusal = net.refusal(low, high)
        if refusal:
            yield refusal


def _never_down(first: ServiceRelease, last: ServiceRelease) -> Refusal:
    start, goal = first.release.id, last.release.id
    text = (
        f"{goal} is older than {start}, and a schema never goes down by migration; "
        "going back means restoring the backup set taken before the way forward."
    )
    return Refusal(start=start, goal=goal, reason=Reason(rule="never-down", text=text, source=OURS))


def _in_the_way(net: _Net) -> Iterator[Refusal]:
    """Yield what refuses the goal when there is no way: from the start, and across the gap."""
    end = len(net.stops) - 1
    last_reached, first_leading = _reached(net)[-1], _leading(net)[0]
    for low, high in dict.fromkeys([(0, end), (last_reached, end), (last_reached, first_leading)]):
        refusal = net.refusal(low, high) if low < high else None
        if refusal:
            yield refusal


def _no_route(net: _Net, way_out: str) -> Refusal:
    reached, leading = ", ".join(net.names(_reached(net))), ", ".join(net.names(_leading(net)))
    text = f"From the start one reaches {reached}; the goal is reached from {leading}; no hop joins them. {way_out}"
    return Refusal(
        start=net.stops[0].release.id,
        goal=net.stops[-1].release.id,
        reason=Reason(rule="no-route", text=text, source=OURS),
    )


def _reached(net: _Net) -> Way:
    """Return the places that the start leads to, itself included."""
    return tuple(place for place in range(len(net.stops)) if 0 in _fewest(net.steps, 0, place))


def _leading(net: _Net) -> Way:
    """Return the places that lead to the goal, itself included."""
    return tuple(sorted(_fewest(net.steps, 0, len(net.stops) - 1)))


def _way_out(catalog: Catalog, route: Route) -> str:
    """Word what would help: the other policy if it knows a way, else a rule that somebody must add."""
    if route.policy is RoutePolicy.SUPPORTED:
        offline = find_route(catalog, route.service, route.start, route.goal, RoutePolicy.OFFLINE)
        if offline.found:
            return f"With services stopped the policy offline goes {', '.join(offline.stops)}."
    return "A rule of kind direct for a hop between them, in the site's catalog, would help if it is true."
