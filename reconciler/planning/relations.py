"""Orders the legs of all groups so that the relations between components hold, or explains the knot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import TypeVar

from reconciler.planning.arrows import Arrow, Choice, Found, Note, Obstacle, relations
from reconciler.planning.ways import Node, Way

Kept = TypeVar("Kept", Obstacle, Note)

MAX_KNOTS = 10
"""How many knots are explained at once; cutting one shows the next."""

MAX_TRIES = 1000
"""How many ways to keep the rules that can be kept in two ways are tried; a fleet has a handful of such rules."""


@dataclass(frozen=True, slots=True)
class Knot:
    """Requirements that go round in a circle: each leg waits for the one before it, and the first for the last."""

    arrows: tuple[Arrow, ...]

    @property
    def groups(self) -> frozenset[str]:
        """Return the groups that are tied up."""
        return frozenset(node.group for arrow in self.arrows for node in (arrow.first, arrow.then))

    @property
    def text(self) -> str:
        """Say which requirement stands against which."""
        return "; but ".join(arrow.text for arrow in self.arrows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """All legs of all groups: `legs` in an order that keeps every rule, `stuck` those that no order can hold.

    `ways` are by service; `arrows` say what each leg waits for.
    """

    ways: Mapping[str, Way] = field(default_factory=dict)
    legs: tuple[Node, ...] = ()
    stuck: frozenset[Node] = frozenset()
    arrows: tuple[Arrow, ...] = ()
    knots: tuple[Knot, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def found(self) -> bool:
        """Tell whether every leg has its place and nothing stands in its way."""
        return not self.stuck and not self.obstacles

    def before(self, node: Node) -> tuple[Arrow, ...]:
        """Return what must have ended before a leg of a group begins."""
        return tuple(arrow for arrow in self.arrows if arrow.then == node)


def order_legs(ways: Sequence[Way]) -> Order:
    """Order all legs: as few ahead of others as the rules allow, equals by group.

    Without an order the knots say which requirement stands against which; legs that do not hang on them are ordered
    all the same.
    """
    found = tuple(relations(ways))
    nodes = _nodes(ways)
    fixed = [each for each in found if isinstance(each, Arrow)]
    legs = sort_legs(nodes, fixed)
    picked: list[Arrow] = []
    choices = [each for each in found if isinstance(each, Choice)]
    if choices:
        picked = _pick(nodes, fixed, choices)
        legs = sort_legs(nodes, [*fixed, *picked])
    arrows = (*fixed, *picked)
    return Order(
        ways={way.service: way for way in ways},
        legs=legs,
        stuck=frozenset(nodes) - frozenset(legs),
        arrows=arrows,
        knots=() if len(legs) == len(nodes) else _knots(nodes, arrows),
        obstacles=_only(found, Obstacle),
        notes=_only(found, Note),
    )


def _nodes(ways: Iterable[Way]) -> tuple[Node, ...]:
    longest: dict[str, int] = defaultdict(int)
    for way in ways:
        longest[way.group] = max(longest[way.group], len(way.legs))
    return tuple(Node(group, number) for group, count in longest.items() for number in range(1, count + 1))


def sort_legs(nodes: Sequence[Node], arrows: Iterable[Arrow]) -> tuple[Node, ...]:
    """Return the legs in an order along all arrows, earlier legs first; those in or behind a circle are left out."""
    after = _after(nodes, arrows)
    waiting = dict.fromkeys(nodes, 0)
    for then in (each for following in after.values() for each in following):
        waiting[then] += 1
    ready = [(node.number, node.group) for node, count in waiting.items() if count == 0]
    heapify(ready)
    legs: list[Node] = []
    while ready:
        number, group = heappop(ready)
        legs.append(Node(group, number))
        for then in after.get(legs[-1], ()):
            waiting[then] -= 1
            if waiting[then] == 0:
                heappush(ready, (then.number, then.group))
    return tuple(legs)


def _after(nodes: Iterable[Node], arrows: Iterable[Arrow]) -> dict[Node, list[Node]]:
    """Map each leg to those that wait for it: the next one of its group, and where arrows lead."""
    after: dict[Node, list[Node]] = defaultdict(list)
    for node in nodes:
        if node.number > 1:
            after[Node(node.group, node.number - 1)].append(node)
    for arrow in arrows:
        after[arrow.first].append(arrow.then)
    return after


def _pick(nodes: Sequence[Node], fixed: Sequence[Arrow], choices: Sequence[Choice]) -> list[Arrow]:
    """Take one option of each choice so that no more legs are stuck than without; else the first options."""
    most = len(sort_legs(nodes, fixed))
    tries = iter(range(MAX_TRIES))

    def extended(picked: list[Arrow]) -> list[Arrow] | None:
        if next(tries, None) is None or len(sort_legs(nodes, [*fixed, *picked])) < most:
            return None
        if len(picked) == len(choices):
            return picked
        options = choices[len(picked)].options
        return next((done for option in options if (done := extended([*picked, option])) is not None), None)

    return extended([]) or [choice.options[0] for choice in choices]


# ---------------------------------------------------------------- knots


def _knots(nodes: Sequence[Node], arrows: Sequence[Arrow]) -> tuple[Knot, ...]:
    knots: list[Knot] = []
    left = list(arrows)
    while len(knots) < MAX_KNOTS:
        circle = _circle(nodes, left)
        if not circle:
            break
        knots.append(Knot(circle))
        left.remove(circle[-1])
    return tuple(knots)


def _circle(nodes: Sequence[Node], arrows: Sequence[Arrow]) -> tuple[Arrow, ...]:
    """Return arrows that go round, the legs of one group between them being in their natural order."""
    stuck = set(nodes) - set(sort_legs(nodes, arrows))
    if not stuck:
        return ()
    into = {arrow.then: arrow for arrow in reversed(arrows) if arrow.first in stuck}
    walked: dict[Node, Arrow | None] = {}
    node = min(stuck)
    while node not in walked:  # backwards: what is stuck waits for an arrow, or for its group's leg before it
        arrow = into.get(node)
        walked[node] = arrow
        node = arrow.first if arrow else Node(node.group, node.number - 1)
    circle = list(walked)[list(walked).index(node) :]
    return tuple(arrow for each in reversed(circle) if (arrow := walked[each]))


def _only(found: Iterable[Found], kind: type[Kept]) -> tuple[Kept, ...]:
    return tuple(each for each in found if isinstance(each, kind))
