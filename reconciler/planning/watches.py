"""Turns the watches of a procedure into steps: begun before the first phase of a span, checked after each, ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from reconciler.domain.plan import Json
from reconciler.domain.procedure import Phase, PhaseSpec, WatchSpec
from reconciler.planning.direct import filled_args, fitted
from reconciler.planning.graph import Graph
from reconciler.planning.leg import Leg, Place
from reconciler.planning.probe_actions import watched
from reconciler.planning.selected import Moved, owner_of, rounds
from reconciler.planning.setting import Draft, Setting
from reconciler.steps import direct_kinds

KIND = "watch"


@dataclass(frozen=True, slots=True)
class Watches:
    """The watches of a stage over its phases; the next phase waits for each check."""

    graph: Graph
    legs: Sequence[Leg]
    phases: Sequence[PhaseSpec]

    def before(self, place: int) -> None:
        """Begin what is watched from this phase on."""
        self._add(place, {"start": [watch for watch in self._watches() if self._span(watch)[0] == place]})

    def after(self, place: int) -> None:
        """Check what is watched, and end it after its last phase."""
        over = [watch for watch in self._watches() if self._span(watch)[0] <= place <= self._span(watch)[1]]
        self._add(place, {"check": over})
        self._add(place, {"stop": [watch for watch in over if self._span(watch)[1] == place]})

    def _watches(self) -> tuple[WatchSpec, ...]:
        return self.legs[0].procedure.watches

    def _span(self, watch: WatchSpec) -> tuple[int, int]:
        """Return the places of the first and last phase; what begins while things are prepared begins first of all."""
        kinds = [phase.phase for phase in self.phases]
        first = kinds.index(watch.first) if watch.first in kinds else 0
        last = max((place for place, kind in enumerate(kinds) if kind is watch.last), default=-1)
        return first, last

    def _add(self, place: int, orders: dict[str, list[WatchSpec]]) -> None:
        """Add orders of one kind side by side, all after the frontier; what services ask alike is asked once."""
        before, phase = self.graph.frontier, self.phases[place].phase
        found = (
            each
            for order, watches in orders.items()
            for watch in watches
            for leg in self.legs
            for each in self._drafts(order, watch, leg, phase)
        )
        self.graph.frontier = tuple(self.graph.add(*each, before) for each in _once(found)) or before

    def _drafts(self, order: str, watch: WatchSpec, leg: Leg, phase: Phase) -> list[tuple[Draft, Place]]:
        asked = PhaseSpec(phase=Phase.PREFLIGHT, each="leg", on=watch.on, steps=(), subject=watch.subject)
        owner = owner_of(asked, leg, self.graph.services)
        hosts = [host for each in rounds(asked, (leg,), Moved(), owner) for host in each.hosts]
        places = (Place(phase=phase, service=owner.name, host=host) for host in hosts)
        return [(draft, place) for place in places for draft in self._orders(order, watch, leg, place)]

    def _orders(self, order: str, watch: WatchSpec, leg: Leg, place: Place) -> tuple[Draft, ...]:
        """Order a sampler on the host, or have the daemon ask a probe."""
        setting = Setting(
            service=leg.service,
            desired=self.graph.desired,
            catalog=self.graph.catalog,
            host=self.graph.desired.hosts[place.host],
            position=leg.standing.get(place.host),
            start=leg.stops[0],
            goal=leg.stops[-1],
        )
        if "probe" in watch.probe.args:
            return watched(setting, str(watch.probe.args["probe"]), watch.name, order)
        filled = cast("dict[str, Json]", filled_args(watch.probe.args, setting.words()))
        kind = direct_kinds()[KIND]
        model, args = fitted(kind.Model, {**filled, "name": watch.name, "action": order}, KIND)
        key = f"{KIND}.{watch.name}.{order}"
        return (Draft(kind=KIND, title=kind.title(model), key=key, args=args, undo=kind.undo(model)),)


def _once(found: Iterable[tuple[Draft, Place]]) -> Iterator[tuple[Draft, Place]]:
    """Leave out what was said already on the same host, word for word."""
    said: list[tuple[str, Mapping[str, Json]]] = []
    for draft, place in found:
        if (place.host, draft.args) not in said:
            said.append((place.host, draft.args))
            yield draft, place
