"""What the order of all legs means for one group: what its legs wait for, and what keeps them from beginning."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.domain.plan import Block, Wait
from reconciler.domain.reasons import Reason, hint_of
from reconciler.planning.relations import Knot, Order
from reconciler.planning.ways import Node


def waits_of(group: str, leg: int, order: Order) -> tuple[Wait, ...]:
    """Return the legs of other groups that come before a leg of this one."""
    moved_by_others = {way.group for way in order.ways.values() if way.others}
    return tuple(
        Wait(
            group=arrow.first.group,
            leg=arrow.first.number,
            rule=arrow.rule.id,
            text=arrow.text,
            others=arrow.first.group in moved_by_others,
        )
        for arrow in order.before(Node(group, leg))
        if arrow.first.group != group
    )


def unmet(group: str, order: Order) -> tuple[Block, ...]:
    """Return what keeps a group from its goal.

    A host that stays behind counts only before the very leg that it is in the way of: until then it may have moved.
    """
    return (*_obstacles(group, order), *_knots(group, order))


def _obstacles(group: str, order: Order) -> Iterator[Block]:
    for each in order.obstacles:
        if each.node.group == group and (not each.host or each.node.number == 1):
            yield Block(str(Reason.DEPENDENCY_UNMET), f"{each.text} [{each.rule.id}]", each.hint)


def _knots(group: str, order: Order) -> Iterator[Block]:
    mine = [knot for knot in order.knots if group in knot.groups]
    if not mine and any(node.group == group for node in order.stuck):
        tied = ", ".join(sorted({each for knot in order.knots for each in knot.groups}))
        text = f"it comes after legs of {tied}, which wait for each other"
        yield Block(str(Reason.DEPENDENCY_KNOT), text, hint_of(Reason.DEPENDENCY_KNOT))
    for knot in mine:
        rules = ", ".join(dict.fromkeys(arrow.rule.id for arrow in knot.arrows))
        yield Block(str(Reason.DEPENDENCY_KNOT), f"{knot.text} [{rules}]", _way_out(knot, order))


def _way_out(knot: Knot, order: Order) -> str:
    """Word what would untie a knot: cutting the legs in it that make several hops, else moving both at once."""
    tied = {node for arrow in knot.arrows for node in (arrow.first, arrow.then)}
    long = [
        way.words(node.number)
        for node in sorted(tied)
        for way in order.ways.values()
        if way.group == node.group and node.number <= len(way.legs) and len(way.legs[node.number - 1]) > 2
    ]
    if long:
        return f"Cut {' and '.join(long)} at a stop: a procedure whose leg is a hop, or an earlier goal first."
    return f"Move {' and '.join(sorted(knot.groups))} together, as one group with its services stopped."
