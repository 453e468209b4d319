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
    found = (*_obstacles(group, order), *_knots(group, order))
    return tuple({(each.reason, each.text): each for each in found}.values())


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
    """Word what would untie a knot: a cut in a long leg, a stop on a hop over releases, or moving at once."""
    tied = sorted({node for arrow in knot.arrows for node in (arrow.first, arrow.then)})
    legs = [
        (way, way.legs[node.number - 1], way.words(node.number))
        for node in tied
        for way in order.ways.values()
        if way.group == node.group and node.number <= len(way.legs) and not way.others
    ]
    if long := [words for _, stops, words in legs if len(stops) > 2]:
        return f"Cut {' and '.join(long)} at a stop: a procedure whose leg is a hop, or an earlier goal first."
    if over := [words for _, stops, words in legs if stops[-1] > stops[0] + 1]:
        return f"Stop between on the way of {' and '.join(over)}: an earlier goal first, or the policy supported."
    if any(way.others for way in order.ways.values() if way.group in knot.groups):
        return "Choose goals that may stand side by side, and agree on the order with those who move the other one."
    return f"Move {' and '.join(sorted(knot.groups))} together, as one group with its services stopped."
