"""The order of legs, and its knots, on small series of literals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.catalog import build_catalog
from reconciler.domain.catalog import Catalog
from reconciler.planning.relations import Order, order_legs
from reconciler.planning.ways import Node, Way

FACT = {"reason": "so it is", "source": "a test", "verified": "read"}
RELEASES = ("a", "b", "c", "d")


def catalog(**rules: list[dict[str, Any]]) -> Catalog:
    """Components of one series, each with its rules."""
    names = sorted({*rules, "control", "agent", "fabric"})
    return build_catalog(
        [
            {"series": "s", "releases": [{"id": name, "codename": name} for name in RELEASES]},
            *(
                {
                    "service": name,
                    "series": "s",
                    "eras": [{"zero_downtime": False, "sync": [name]}],
                    "releases": [{"id": each, "package": {"first": "1", "final": "1"}} for each in RELEASES],
                    "rules": [
                        {"id": f"{name}-{place}", **FACT, **rule} for place, rule in enumerate(rules.get(name, ()))
                    ],
                }
                for name in names
            ),
        ]
    )


def way(known: Catalog, name: str, stops: str, **said: Any) -> Way:
    """A service that goes from letter to letter; a space ends a leg: `ab bcd` is two legs."""
    legs = tuple(tuple(RELEASES.index(stop) for stop in leg) for leg in stops.split())
    start = legs[0][0]
    return Way(
        service=name,
        component=known.service(name),
        group=said.pop("group", name),
        start=said.pop("start", start),
        legs=tuple(leg for leg in legs if len(leg) > 1),
        **said,
    )


def shown(order: Order) -> list[str]:
    return [f"{node.group}{node.number}" for node in order.legs]


SKEW = {"kind": "skew", "skew": {"service": "control", "behind": 1}}


def test_without_relations_the_first_legs_come_first() -> None:
    known = catalog()
    order = order_legs([way(known, "control", "ab bc"), way(known, "agent", "ab bc")])

    assert order.found
    assert shown(order) == ["agent1", "control1", "agent2", "control2"]


def test_an_agent_follows_its_control_and_is_waited_for() -> None:
    known = catalog(agent=[SKEW])
    order = order_legs([way(known, "control", "ab bc cd"), way(known, "agent", "ab bc cd")])

    assert order.found
    assert shown(order) == ["control1", "agent1", "control2", "agent2", "control3", "agent3"]
    assert order.before(Node("control", 2))[0].text == (
        "agent a to b comes before control b to c, which works with b and later: so it is"
    )


def test_what_is_listed_as_oldest_weighs_more_than_the_number() -> None:
    known = catalog(agent=[{"kind": "skew", "skew": {"service": "control", "oldest": {"c": "a", "d": "b"}}}])
    order = order_legs([way(known, "control", "ab bc cd"), way(known, "agent", "abcd")])

    assert shown(order) == ["control1", "control2"]
    assert [sorted(knot.groups) for knot in order.knots] == [["agent", "control"]]  # a leg of one stop would do
    assert shown(order_legs([way(known, "control", "ab bc"), way(known, "agent", "abc")])) == [
        "control1", "control2", "agent1",
    ]  # fmt: skip


def test_one_leg_may_move_both_when_they_are_of_one_group() -> None:
    known = catalog(agent=[SKEW])
    together = [
        way(known, "control", "abcd", group="cloud", rank=0, procedure="fast-forward"),
        way(known, "agent", "abcd", group="cloud", rank=1, procedure="containerise"),
    ]

    assert shown(order_legs(together)) == ["cloud1"]


def test_a_group_that_takes_the_agent_first_is_told_to_turn_round() -> None:
    known = catalog(agent=[SKEW])
    order = order_legs(
        [
            way(known, "control", "ab", group="cloud", rank=1, procedure="one"),
            way(known, "agent", "ab", group="cloud", rank=0, procedure="two"),
        ]
    )

    assert [each.hint for each in order.obstacles] == ["Put control before agent in group cloud."]


NEEDS = {"kind": "requires", "to": {"first": "c"}, "needs": {"service": "fabric", "release": "b", "when": "before"}}
OLD_FABRIC = {"kind": "excludes", "to": {"first": "c"}, "excludes": {"service": "fabric", "last": "a"}}
NEW_FABRIC = {"kind": "excludes", "to": {"last": "a"}, "excludes": {"service": "fabric", "first": "b"}}


def test_a_need_is_met_in_mid_route() -> None:
    known = catalog(control=[NEEDS, OLD_FABRIC, NEW_FABRIC])
    order = order_legs([way(known, "control", "ab bc"), way(known, "fabric", "ab", others=True)])

    assert order.found
    assert shown(order) == ["control1", "fabric1", "control2"]


def test_a_leg_over_the_place_where_the_other_must_move_is_a_knot() -> None:
    known = catalog(control=[NEEDS, NEW_FABRIC])
    order = order_legs([way(known, "control", "abc"), way(known, "fabric", "ab", others=True)])

    assert not order.found
    assert order.stuck == {Node("control", 1), Node("fabric", 1)}
    (knot,) = order.knots
    assert knot.text == (
        "control a to c comes before fabric a to b, for these releases must not meet: so it is; "
        "but fabric a to b comes before control a to c: so it is"
    )


def test_a_need_that_nobody_will_meet_is_an_obstacle() -> None:
    known = catalog(control=[NEEDS])
    order = order_legs([way(known, "control", "ab bc"), way(known, "fabric", "a")])

    (obstacle,) = order.obstacles
    assert obstacle.node == Node("control", 2)
    assert obstacle.text == "control b to c needs fabric at b or later, and it is to stay at a: so it is"
    assert obstacle.hint == "Give fabric the release b or a later one in the desired state."


def test_a_need_for_what_is_not_managed_here_is_noted_and_stops_nothing() -> None:
    order = order_legs([way(catalog(control=[NEEDS]), "control", "ab bc")])

    assert order.found
    assert [note.text for note in order.notes] == [
        "control needs fabric at b or later, which nobody here moves or checks: so it is"
    ]


def test_what_is_to_follow_is_waited_for_by_the_next_leg() -> None:
    follows = {
        "kind": "requires",
        "to": {"first": "b"},
        "needs": {"service": "fabric", "release": "b", "when": "after"},
    }
    known = catalog(control=[follows])
    fabric = way(known, "fabric", "ab")

    assert shown(order_legs([way(known, "control", "ab bc"), fabric])) == ["control1", "fabric1", "control2"]
    assert shown(order_legs([way(known, "control", "bc"), fabric])) == ["fabric1", "control1"]  # the hop was made
    stays = order_legs([way(known, "control", "ab"), way(known, "fabric", "a")])
    assert [each.node for each in stays.obstacles] == [Node("control", 1)]


def test_of_two_ways_to_keep_apart_the_one_that_fits_the_rest_is_taken() -> None:
    apart = {
        "kind": "excludes",
        "to": {"first": "b", "last": "b"},
        "excludes": {"service": "fabric", "first": "b", "last": "b"},
    }
    known = catalog(
        control=[
            apart,
            NEEDS | {"to": {"first": "b"}, "needs": {"service": "fabric", "release": "c", "when": "before"}},
        ]
    )
    order = order_legs([way(known, "control", "ab bc"), way(known, "fabric", "ab bc")])

    assert order.found
    assert shown(order) == ["fabric1", "fabric2", "control1", "control2"]


def test_hosts_that_are_held_behind_stop_a_control_that_would_leave_them_behind() -> None:
    known = catalog(agent=[SKEW])
    held = way(known, "agent", "ab bc cd", held={"c7": 0})
    order = order_legs([way(known, "control", "ab bc cd"), held])

    assert {(each.node, each.host) for each in order.obstacles} == {
        (Node("control", 2), "c7"),
        (Node("control", 3), "c7"),
    }
    assert order.obstacles[0].text == "control b to c works with agent from b on, and c7 is held at a: so it is"


def test_what_depends_on_a_service_that_cannot_be_placed_does_not_begin() -> None:
    known = catalog(agent=[SKEW])
    lost = replace(way(known, "control", "a"), start=None)
    order = order_legs([lost, way(known, "agent", "ab")])

    assert [each.node for each in order.obstacles] == [Node("agent", 1)]
    assert "where control stands cannot be told" in order.obstacles[0].text
