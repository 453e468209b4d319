"""Builds the graph of a leg's steps from a procedure's phases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.domain.catalog import Catalog
from reconciler.domain.desired import Desired, Host, Service
from reconciler.domain.plan import Step
from reconciler.domain.position import HostPosition, Position
from reconciler.domain.procedure import Phase, PhaseSpec, Procedure, Selector
from reconciler.planning.actions import expand
from reconciler.planning.position import goal_of
from reconciler.planning.setting import Draft, Setting
from reconciler.planning.waves import waves
from reconciler.steps import kinds

_UNSAFE = re.compile(r"[^A-Za-z0-9._@+-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One service's part of a leg: the stops it passes, and the hosts whose code moves."""

    service: Service
    position: Position
    stops: tuple[str, ...]
    moving: tuple[Host, ...]
    standing: Mapping[str, HostPosition] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Index where the hosts stand: there may be thousands."""
        object.__setattr__(self, "standing", {host.host: host for host in self.position.hosts})

    @property
    def hops(self) -> tuple[tuple[str, str], ...]:
        """Return the hops, none for a refresh."""
        return tuple(zip(self.stops, self.stops[1:], strict=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a leg a step stands."""

    phase: Phase
    service: str
    host: str = ""
    hop: str = ""
    wave: int | None = None


Column = tuple[Place, tuple[Draft, ...]]
"""What is done one after the other in one place."""


@dataclass(slots=True)
class Graph:
    """Steps under construction: `frontier` are the steps that the next block comes after.

    Preparing is no part of the pause: its phases run side by side, and only what follows waits for them.
    """

    desired: Desired
    catalog: Catalog
    steps: dict[str, Step] = field(default_factory=dict)
    frontier: tuple[str, ...] = ()

    def add_phase(self, phase: PhaseSpec, legs: Sequence[Leg]) -> None:
        """Add one phase of all services side by side; the next phase waits for all of them."""
        side_by_side = phase.phase is Phase.PREPARE
        start = () if side_by_side else self.frontier
        ends = dict.fromkeys(self.frontier if side_by_side else ())
        for leg in legs:
            self.frontier = start
            ends |= dict.fromkeys(self._add(phase, leg, side_by_side=side_by_side))
        self.frontier = tuple(ends)

    def _add(self, phase: PhaseSpec, leg: Leg, *, side_by_side: bool) -> tuple[str, ...]:
        """Add one service's part and return the steps that end it."""
        start, ends = self.frontier, dict[str, None]()
        for span in leg.hops if phase.each == "hop" else ((leg.stops[0], leg.stops[-1]),):
            hop = f"{span[0]}>{span[1]}" if leg.hops else ""
            for wave, hosts in _rounds(phase, leg):
                places = [
                    Place(phase=phase.phase, service=leg.service.name, host=host, hop=hop, wave=wave) for host in hosts
                ]
                self._block([self._column(phase, leg, span, place) for place in places])
            if side_by_side:
                ends |= dict.fromkeys(self.frontier)
                self.frontier = start
        return tuple(ends) if side_by_side else self.frontier

    def _column(
        self, phase: PhaseSpec, leg: Leg, span: tuple[str, str], place: Place
    ) -> tuple[Place, tuple[Draft, ...]]:
        if not leg.hops and place.host:
            span = (goal_of(leg.service, place.host),) * 2
        setting = Setting(
            service=leg.service,
            desired=self.desired,
            catalog=self.catalog,
            host=self.desired.hosts.get(place.host),
            position=leg.standing.get(place.host),
            start=span[0],
            goal=span[1],
            origin=leg.stops[0],
        )
        return place, tuple(draft for spec in phase.steps for draft in expand(setting, spec))

    def _block(self, columns: Iterable[Column]) -> None:
        """Add columns that run side by side, each a chain, all after the frontier."""
        ends: dict[str, None] = {}
        for place, drafts in columns:
            before = self.frontier
            for draft in drafts:
                step = make_step(draft, place, before)
                self.steps.setdefault(step.id, step)
                before = (step.id,)
            if drafts:
                ends |= dict.fromkeys(before)
        self.frontier = tuple(ends) or self.frontier


def build_graph(procedure: Procedure, legs: Sequence[Leg], desired: Desired, catalog: Catalog) -> tuple[Step, ...]:
    """Return the steps of one leg in an order in which every step comes after those it waits for."""
    graph = Graph(desired, catalog)
    for phase in procedure.phases:
        graph.add_phase(phase, legs)
    return tuple(graph.steps.values())


def _rounds(phase: PhaseSpec, leg: Leg) -> Iterable[tuple[int | None, tuple[str, ...]]]:
    """Return wave number and host names of each round; one nameless host stands for the daemon."""
    names = tuple(host.name for host in leg.moving)
    if phase.on is Selector.DAEMON:
        return [(None, ("",))]
    if phase.on is Selector.WAVE:
        return [(n, tuple(host.name for host in wave)) for n, wave in enumerate(waves(leg.service, leg.moving))]
    if phase.on is Selector.FLEET:
        return [(None, names)]
    return [(None, (leg.service.bootstrap,))]


def make_step(draft: Draft, place: Place, after: tuple[str, ...] = ()) -> Step:
    """Give a draft its id and place."""
    kind = kinds()[draft.kind]
    host = "" if draft.asks else place.host
    at = f"@{host}" if host else ""
    return Step(
        id=_UNSAFE.sub("-", f"{place.service}.{place.phase}.{draft.key or draft.kind}") + at,
        kind=draft.kind,
        phase=place.phase,
        service=place.service,
        title=draft.title,
        hop=place.hop,
        host=host,
        wave=place.wave,
        args=draft.args,
        after=after,
        undo=draft.undo,
        timeout_s=kind.TIMEOUT_S,
        repeatable=kind.REPEATABLE,
        interruptible=kind.INTERRUPTIBLE,
        point_of_no_return=draft.point_of_no_return,
    )
