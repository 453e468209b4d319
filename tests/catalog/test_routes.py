"""Routes of every service: those of the survey, those of published upgrades, and properties of any route."""

from __future__ import annotations

import json
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.catalog import load_catalog
from reconciler.domain.catalog import Service
from reconciler.domain.route import EdgeVerdict, Hop, Route, RoutePolicy
from reconciler.planning.edges import Edge, judge_hop, verdict_on
from reconciler.planning.route import find_route

CATALOG = load_catalog()
SERVICES = [name for name, service in CATALOG.services.items() if service.databases]
SURVEY = [
    each for each in json.loads((Path(__file__).parent / "routes.json").read_text()) if each["service"] in SERVICES
]
OFFLINE, SUPPORTED = RoutePolicy.OFFLINE, RoutePolicy.SUPPORTED
BEFORE_2026_2 = "its schema would silently keep what 054e34dbe6b4 dropped"
SEEN_IN_RUNS = {("neutron", "yoga", "2026.2"): BEFORE_2026_2}
"""Ways of the survey that real runs forbid, with the reason."""


def route(name: str, start: str, goal: str, policy: RoutePolicy = OFFLINE) -> Route:
    return find_route(CATALOG, name, start, goal, policy)


def ways(found: Route) -> list[str]:
    return [" ".join(way) for way in (found.stops, *found.equals)]


@pytest.mark.parametrize("case", SURVEY, ids=lambda each: f"{each['service']}-{each['from']}-{each['to']}")
def test_chosen_and_equal_routes_are_those_of_the_survey(case: dict[str, Any]) -> None:
    found = ways(route(case["service"], case["from"], case["to"]))
    if (case["service"], case["from"], case["to"]) in SEEN_IN_RUNS:
        assert set(found).isdisjoint(case["some"])
        return
    assert len(found) == case["ways"]
    assert set(case["some"]) <= set(found)


PUBLISHED = [
    ("keystone", "kilo pike", []),
    ("glance", "kilo liberty pike", ["kilo mitaka pike", "kilo newton pike"]),
    ("nova", "kilo mitaka newton pike", []),
    ("neutron", "kilo pike", []),
    ("cinder", "kilo mitaka ocata pike", []),
]


@pytest.mark.parametrize(("name", "stops", "equals"), [each for each in PUBLISHED if each[0] in SERVICES])
def test_from_kilo_to_pike_as_it_was_published(name: str, stops: str, equals: list[str]) -> None:
    found = route(name, "kilo", "pike")
    assert ways(found) == [stops, *equals]
    assert all(hop.reasons for hop in found.hops)


def test_nova_says_why_it_stops() -> None:
    found = route("nova", "kilo", "pike")
    assert [[reason.rule for reason in hop.reasons] for hop in found.hops] == [
        ["nova-kilo-or-later", "nova-330"],
        ["openstack-sequential", "nova-345"],
        ["nova-kilo-or-later"],
    ]
    assert ["nova-291" in [gate.id for gate in hop.gates] for hop in found.hops] == [True, False, False]


@pytest.mark.parametrize("name", SERVICES)
def test_upstream_supports_release_by_release_and_slurp_to_slurp(name: str) -> None:
    ids = [each.release.id for each in CATALOG.service(name).releases]
    early = ids[: ids.index("yoga") + 1]
    assert route(name, early[0], "yoga", SUPPORTED).stops == tuple(early)
    assert ways(route(name, "yoga", "2026.2", SUPPORTED)) == ["yoga 2023.1 2024.1 2025.1 2026.1 2026.2"]


@st.composite
def journeys(draw: st.DrawFn) -> tuple[str, str, str, RoutePolicy]:
    name = draw(st.sampled_from(SERVICES))
    ids = [each.release.id for each in CATALOG.service(name).releases]
    start, goal = sorted((draw(st.sampled_from(ids)), draw(st.sampled_from(ids))), key=ids.index)
    return name, start, goal, draw(st.sampled_from(RoutePolicy))


@settings(deadline=None)
@given(journeys())
def test_every_hop_is_ok_and_no_route_is_shorter(journey: tuple[str, str, str, RoutePolicy]) -> None:
    name, start, goal, policy = journey
    service, found = CATALOG.service(name), route(name, start, goal, policy)
    shortest = brute_force(service, start, goal, policy)
    if not found.found:
        assert shortest == set()
        return
    assert {found.stops, *found.equals} == shortest
    for low, high in pairwise(found.stops):
        assert verdict_on(Edge(service, service.at(low), service.at(high))) is EdgeVerdict.OK


@settings(deadline=None)
@given(journeys())
def test_what_is_avoided_bears_its_verdict(journey: tuple[str, str, str, RoutePolicy]) -> None:
    name, start, goal, policy = journey
    service = CATALOG.service(name)
    for refusal in route(name, start, goal, policy).refused:
        edge = Edge(service, service.at(refusal.start), service.at(refusal.goal))
        assert not isinstance(judge_hop(edge, policy), Hop) or refusal.reason.rule == "no-route"
        if refusal.verdict is not None:
            assert verdict_on(edge) is refusal.verdict


def brute_force(service: Service, start: str, goal: str, policy: RoutePolicy) -> set[tuple[str, ...]]:
    """Try all sets of stops in between, fewest first."""
    ids = [each.release.id for each in service.releases]
    between = ids[ids.index(start) + 1 : ids.index(goal)]
    if start == goal:
        return {(start,)}
    allowed = {
        (low, high): isinstance(judge_hop(Edge(service, service.at(low), service.at(high)), policy), Hop)
        for low, high in combinations([start, *between, goal], 2)
    }
    layer: set[tuple[str, ...]] = {(start,)}
    while layer:
        if arrived := {(*way, goal) for way in layer if allowed[way[-1], goal]}:
            return arrived
        layer = {
            (*way, stop) for way in layer for stop in between if (way[-1], stop) in allowed and allowed[way[-1], stop]
        }
    return set()
