"""A leg of one service, and the places in it where steps stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from reconciler.domain.desired import Host, Service
from reconciler.domain.position import HostPosition, Position
from reconciler.domain.procedure import Phase, Procedure


def legs_of(stops: Sequence[str], procedure: Procedure, service: Service) -> tuple[tuple[str, ...], ...]:
    """Cut a route into legs: at every stop, or where `leg` is route, only where another deployment takes over."""
    ends = {*stops} if procedure.leg == "hop" else {*service.replacements, stops[-1]}
    places = [0, *(place for place, stop in enumerate(stops) if place and stop in ends)]
    return tuple(tuple(stops[first : last + 1]) for first, last in pairwise(places))


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One service's part of a leg: the stops it passes, the hosts whose code moves, and how.

    In a replacement `service` is the new deployment and `old` the one whose place it takes. `there` are hosts that run
    the leg's end already. With `walked` it is what is left of a leg whose first hops are done.
    """

    service: Service
    position: Position
    stops: tuple[str, ...]
    moving: tuple[Host, ...]
    procedure: Procedure
    old: Service | None = None
    there: frozenset[str] = frozenset()
    walked: bool = False
    standing: Mapping[str, HostPosition] = field(init=False, repr=False)
    names: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Index where the hosts stand: there may be thousands."""
        hosts = (*self.position.hosts, *self.position.second)
        object.__setattr__(self, "standing", {host.host: host for host in hosts})
        object.__setattr__(self, "names", frozenset(host.name for host in self.moving))

    @property
    def hops(self) -> tuple[tuple[str, str], ...]:
        """Return the hops, none for a refresh."""
        return tuple(zip(self.stops, self.stops[1:], strict=False))

    @property
    def whole(self) -> tuple[str, str]:
        """Return where the leg starts and ends."""
        return self.stops[0], self.stops[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a leg a step stands."""

    phase: Phase
    service: str
    host: str = ""
    hop: str = ""
    wave: int | None = None
    leads: str = ""
