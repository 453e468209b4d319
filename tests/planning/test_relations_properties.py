"""The order of legs against a brute force that walks every state of small random fleets, with rules of its own reading."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.catalog import Catalog
from reconciler.planning.relations import Order, order_legs
from reconciler.planning.ways import Way
from tests.planning.test_relations import RELEASES, catalog, way

NAMES = ("agent", "control", "fabric")
LAST = len(RELEASES) - 1
State = dict[str, int]  # group to legs that have ended

spans = st.tuples(st.integers(0, LAST), st.integers(0, LAST)).map(sorted)


def named(span: list[int]) -> dict[str, str]:
    return {"first": RELEASES[span[0]], "last": RELEASES[span[1]]}


@st.composite
def rules(draw: st.DrawFn, service: str) -> dict[str, Any]:
    other = draw(st.sampled_from([name for name in NAMES if name != service]))
    kind = draw(st.sampled_from(["requires", "excludes", "skew"]))
    if kind == "requires":
        needs = {
            "service": other,
            "release": RELEASES[draw(st.integers(0, LAST))],
            "when": draw(st.sampled_from(["before", "after"])),
        }
        return {"kind": kind, "to": {"first": RELEASES[draw(st.integers(0, LAST))]}, "needs": needs}
    if kind == "excludes":
        return {"kind": kind, "to": named(draw(spans)), "excludes": {"service": other, **named(draw(spans))}}
    return {"kind": kind, "skew": {"service": other, "behind": draw(st.integers(0, 2))}}


@st.composite
def stops(draw: st.DrawFn) -> str:
    """Return a way to the end of the series or not so far, cut into legs."""
    start = draw(st.integers(0, 1))
    goal = draw(st.sampled_from([start, LAST - 1, LAST, LAST]))
    whole = RELEASES[start : goal + 1]
    if draw(st.booleans()) or len(whole) == 1:
        return "".join(whole)
    return " ".join(low + high for low, high in pairwise(whole))


@st.composite
def fleets(draw: st.DrawFn) -> tuple[Catalog, list[Way]]:
    said = {name: draw(st.lists(rules(name), min_size=name == "agent", max_size=2)) for name in NAMES}
    known = catalog(**said)
    joint = draw(st.booleans())
    ways = [
        way(known, name, draw(stops()), rank=rank, group="cloud" if joint and name != "fabric" else name)
        for rank, name in enumerate(("control", "agent", "fabric"))
    ]
    return known, ways


# ---------------------------------------------------------------- the brute force


def at(one: Way, state: State) -> int:
    done = min(state[one.group], len(one.legs))
    return one.legs[done - 1][-1] if done else at_start(one)


def at_start(one: Way) -> int:
    assert one.start is not None
    return one.start


def may_go(group: str, state: State, ways: dict[str, Way]) -> bool:
    """Say whether the next leg of a group keeps every rule of every service."""
    new = state | {group: state[group] + 1}
    return all(
        keeps(rule, one, ways[partner(rule)], group, state, new)
        for one in ways.values()
        for rule in one.component.rules
        if partner(rule) in ways
    )


def partner(rule: Any) -> str:
    return (rule.needs or rule.excludes or rule.skew).service


def keeps(rule: Any, one: Way, other: Way, group: str, old: State, new: State) -> bool:  # noqa: PLR0917
    seen = at(other, new) if other.group == group else at(other, old)  # services of a group arrive together
    moves = one.group == group and new[group] <= len(one.legs)
    if rule.needs:
        wanted = RELEASES.index(rule.needs.release)
        leg = new[group] if rule.needs.when == "before" else new[group] - 1
        if not moves:
            return True
        if rule.needs.when == "after" and leg == 0:
            return at_start(one) not in rule.goals or seen >= wanted
        return not any(high in rule.goals for high in one.legs[leg - 1][1:]) or seen >= wanted
    if rule.excludes:
        return not meet(rule, at(one, new), at(other, new)) or ever_since(rule, one, other)
    if moves and at(one, new) > seen:
        return False
    comes = other.group == group and new[group] <= len(other.legs)
    lag = at(one, new) if one.group == group else at(one, old)
    return not comes or lag >= max(0, at(other, new) - rule.skew.behind)


def meet(rule: Any, mine: int, theirs: int) -> bool:
    low, high = RELEASES.index(rule.excludes.first), RELEASES.index(rule.excludes.last)
    return mine in rule.goals and low <= theirs <= high


def ever_since(rule: Any, one: Way, other: Way) -> bool:
    """A pair that meets where the fleet begins is not kept apart: every way out of it is a good one."""
    return meet(rule, at_start(one), at_start(other))


def follows(ways: dict[str, Way], state: State) -> bool:
    """Say whether at the end everything has followed that was to follow."""
    return all(
        at(ways[partner(rule)], state) >= RELEASES.index(rule.needs.release)
        for one in ways.values()
        for rule in one.component.rules
        if rule.needs and rule.needs.when == "after" and partner(rule) in ways
        and any(high in rule.goals for leg in one.legs for high in leg[1:])
    )  # fmt: skip


def can_end(ways: dict[str, Way]) -> bool:
    """Walk every state that can be reached."""
    counts: State = {}
    for one in ways.values():
        counts[one.group] = max(counts.get(one.group, 0), len(one.legs))
    todo = [dict.fromkeys(counts, 0)]
    seen: list[State] = []
    while todo:
        state = todo.pop()
        if state == counts:
            return follows(ways, state)
        if state in seen:
            continue
        seen.append(state)
        goes = [g for g, count in counts.items() if state[g] < count and may_go(g, state, ways)]
        todo += [state | {group: state[group] + 1} for group in goes]
    return False


# ---------------------------------------------------------------- the properties


def solved(ways: list[Way]) -> Order:
    order = order_legs(ways)
    assert order == order_legs(ways)
    return order


@given(fleets())
def test_an_order_keeps_every_relation(fleet: tuple[Catalog, list[Way]]) -> None:
    ways = {one.service: one for one in fleet[1]}
    order = solved(fleet[1])
    if not order.found:
        assert order.knots or order.obstacles
        return
    state = dict.fromkeys({one.group for one in ways.values()}, 0)
    for node in order.legs:
        assert node.number == state[node.group] + 1
        assert may_go(node.group, state, ways), node
        state[node.group] += 1
    assert follows(ways, state)


@given(fleets())
def test_there_is_an_order_exactly_when_one_can_be_walked(fleet: tuple[Catalog, list[Way]]) -> None:
    assert solved(fleet[1]).found == can_end({one.service: one for one in fleet[1]})
