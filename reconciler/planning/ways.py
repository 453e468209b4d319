"""The way of each service to its goal, cut into legs: what relations between components are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from reconciler.domain.catalog import Service
from reconciler.domain.rule import Rule
from reconciler.planning.edges import Edge, applies


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """One leg of a group; legs count from 1, and leg 0 is where the group stands."""

    group: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where a service stands, and the releases that each leg of its group takes it through, all as indexes.

    Attributes:
        rank: its place in the group.
        start: where it stands; None when nobody can tell.
        legs: per leg the stops, start and end included.
        held: hosts that will not follow, with where they stay; None: nobody can tell.
        others: whether others move it.
        procedure: how a leg is carried out; services of a group that share one move side by side.
    """

    service: str
    component: Service
    group: str
    start: int | None
    rank: int = 0
    legs: tuple[tuple[int, ...], ...] = ()
    held: Mapping[str, int | None] = field(default_factory=dict)
    others: bool = False
    procedure: str = ""

    @property
    def goal(self) -> int:
        """Return where the last leg ends."""
        return self.after(len(self.legs))

    def after(self, number: int) -> int:
        """Return where the service stands after a leg of its group."""
        assert self.start is not None
        return self.legs[min(number, len(self.legs)) - 1][-1] if number and self.legs else self.start

    def reaches(self, index: int) -> int | None:
        """Return the first leg after which the service stands at a release or later; None when it never does."""
        return next((number for number in range(len(self.legs) + 1) if self.after(number) >= index), None)

    def within(self, low: int, high: int | None) -> tuple[int, int] | None:
        """Return the first and last leg after which the service stands in a stretch of releases."""
        inside = [
            number
            for number in range(len(self.legs) + 1)
            if low <= self.after(number) and (high is None or self.after(number) <= high)
        ]
        return (inside[0], inside[-1]) if inside else None

    def hops_under(self, rule: Rule) -> tuple[int, ...]:
        """Return the legs in which a hop is made that a rule is about."""
        at = {each.release.index: each for each in self.component.releases}
        return tuple(
            number
            for number, stops in enumerate(self.legs, start=1)
            if any(applies(rule, Edge(self.component, at[low], at[high])) for low, high in pairwise(stops))
        )

    def name(self, index: int) -> str:
        """Return a release's id."""
        return self.component.series.releases[index].id

    def words(self, number: int) -> str:
        """Name a leg: the service and the releases it goes from and to."""
        if not 0 < number <= len(self.legs):
            return self.service
        stops = self.legs[number - 1]
        return f"{self.service} {self.name(stops[0])} to {self.name(stops[-1])}"
