"""The route solver on the packaged catalog, and on small series of literals."""

from itertools import combinations
from typing import Any

import pytest
from jsonschema import validate

from reconciler.catalog import build_catalog, load_catalog
from reconciler.domain.catalog import Catalog
from reconciler.domain.route import Hop, Route, RoutePolicy
from reconciler.domain.rule import Need
from reconciler.errors import CatalogError
from reconciler.planning.edges import Edge, Hops, judge_hop
from reconciler.planning.route import find_route

OFFLINE, SUPPORTED = RoutePolicy.OFFLINE, RoutePolicy.SUPPORTED

TEXT = {"type": "string", "minLength": 1}
REASON = {"rule": TEXT, "text": TEXT, "source": TEXT}


def exactly(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


def listed(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


CONTRACT = exactly(
    service=TEXT,
    to=TEXT,
    policy={"enum": ["supported", "offline"]},
    hops=listed(
        exactly(
            to=TEXT,
            kind={"enum": ["sequential", "slurp", "skip", "direct"]},
            reasons=listed(exactly(**REASON)) | {"minItems": 1},
            gates=listed(exactly(id=TEXT, text=TEXT)),
            **{"from": TEXT},
        )
    ),
    equals=listed(listed(TEXT)),
    refused=listed(
        exactly(to=TEXT, verdict={"enum": ["refused", "poisons", "silent", "gated", None]}, **REASON, **{"from": TEXT})
    ),
    **{"from": TEXT},
)


def keystone(start: str, goal: str, policy: RoutePolicy) -> Route:
    route = find_route(load_catalog(), "keystone", start, goal, policy)
    validate(route.as_json(), CONTRACT)
    return route


def walk(start: str, goal: str) -> list[str]:
    ids = [each.id for each in load_catalog().series["openstack"].releases]
    return ids[ids.index(start) : ids.index(goal) + 1]


@pytest.mark.parametrize(
    ("start", "goal", "stops", "equals"),
    [
        ("kilo", "pike", "kilo pike", ""),
        ("newton", "queens", "newton queens", ""),
        ("queens", "train", "queens train", ""),
        ("train", "wallaby", "train wallaby", ""),
        ("train", "yoga", "train ussuri yoga", "train victoria yoga|train wallaby yoga|train xena yoga"),
        ("wallaby", "yoga", "wallaby yoga", ""),
        ("yoga", "2026.1", "yoga 2023.1 2026.1", "yoga zed 2026.1"),
        ("yoga", "2026.2", "yoga 2023.1 2026.2", "yoga zed 2026.2"),
        ("zed", "2026.2", "zed 2026.2", ""),
        (
            "kilo",
            "2026.1",
            "kilo ussuri 2023.1 2026.1",
            "|".join(
                f"kilo {squash} {takeover} 2026.1"
                for takeover in ("2023.1", "zed")
                for squash in ("ussuri", "victoria", "wallaby", "xena")
                if (squash, takeover) != ("ussuri", "2023.1")
            ),
        ),
    ],
)
def test_offline_routes_are_those_that_the_code_forces(start: str, goal: str, stops: str, equals: str) -> None:
    route = keystone(start, goal, OFFLINE)
    assert " ".join(route.stops) == stops
    assert "|".join(" ".join(way) for way in route.equals) == equals


@pytest.mark.parametrize(
    ("start", "goal", "stops"),
    [
        ("kilo", "pike", walk("kilo", "pike")),
        ("newton", "queens", walk("newton", "queens")),
        ("train", "yoga", walk("train", "yoga")),
        ("yoga", "2026.1", ["yoga", "2023.1", "2024.1", "2025.1", "2026.1"]),
        ("yoga", "2026.2", ["yoga", "2023.1", "2024.1", "2025.1", "2026.1", "2026.2"]),
        ("kilo", "2026.1", [*walk("kilo", "yoga"), "2023.1", "2024.1", "2025.1", "2026.1"]),
        ("zed", "2024.2", ["zed", "2023.1", "2024.1", "2024.2"]),
    ],
)
def test_supported_routes_are_upstreams(start: str, goal: str, stops: list[str]) -> None:
    route = keystone(start, goal, SUPPORTED)
    assert list(route.stops) == stops
    assert route.equals == ()


def test_a_hop_says_what_admits_it_and_why_it_stops_where_it_does() -> None:
    first, last = keystone("yoga", "2026.1", OFFLINE).hops
    assert (first.kind, last.kind) == ("slurp", "direct")
    assert [reason.rule for reason in first.reasons] == ["openstack-first-slurp", "keystone-legacy-removed"]
    assert [reason.rule for reason in last.reasons] == ["keystone-alembic"]


def test_refused_are_the_straighter_edges() -> None:
    refused = keystone("kilo", "2026.1", OFFLINE).refused
    assert [(each.start, each.goal, each.reason.rule) for each in refused] == [
        ("kilo", "2026.1", "keystone-legacy-poisons"),
        ("kilo", "2023.1", "keystone-initial-over-live"),
        ("ussuri", "2026.1", "keystone-legacy-removed"),
    ]


def test_what_only_upstream_refuses_is_told_apart_from_what_the_code_refuses() -> None:
    refused = keystone("yoga", "2026.1", SUPPORTED).refused
    rules = {(each.start, each.goal): each.reason.rule for each in refused}
    assert rules["yoga", "2026.1"] == "keystone-legacy-removed"
    assert rules["2023.1", "2026.1"] == "not-supported"


def test_gates_hang_on_the_hops_that_they_bear_on() -> None:
    hops = keystone("kilo", "queens", SUPPORTED).hops
    gates = {hop.goal: [gate.id for gate in hop.gates] for hop in hops}
    assert gates["newton"] == ["keystone-triggers", "keystone-credential-keys"]
    assert gates["ocata"] == ["keystone-triggers"]
    assert gates["pike"] == []
    assert gates["queens"] == ["keystone-queens-mariadb"]
    assert hops[-1].gates[0].text.startswith("Only for keystone of queens with SQLAlchemy 1.2.1")


def test_names_are_understood_and_ids_returned() -> None:
    assert keystone("2022.1", "Gazpacho", OFFLINE).stops == ("yoga", "2023.1", "2026.1")


def test_from_a_release_to_itself_there_is_nothing_to_do() -> None:
    route = keystone("antelope", "2023.1", SUPPORTED)
    assert (route.found, route.hops, route.refused) == (True, (), ())


@pytest.mark.parametrize("policy", RoutePolicy)
def test_there_is_no_way_down(policy: RoutePolicy) -> None:
    route = keystone("2023.1", "pike", policy)
    assert (route.found, route.hops, route.stops) == (False, (), ())
    (refusal,) = route.refused
    assert refusal.reason.rule == "never-down"
    assert "restoring the backup set" in refusal.reason.text


def test_unknown_names_are_errors() -> None:
    with pytest.raises(CatalogError) as caught:
        find_route(load_catalog(), "keystone", "yoag", "2026.1")
    assert caught.value.hint == "did you mean yoga?"


def small(*rules: dict[str, Any], slurp: str = "") -> Catalog:
    """A series a, b, c, d, e of a service without databases."""
    common = {"reason": "Because.", "source": "a test", "verified": "read"}
    return build_catalog(
        [
            {
                "series": "s",
                "releases": [{"id": each, "codename": each, "slurp": each in slurp} for each in "abcde"],
            },
            {
                "service": "x",
                "series": "s",
                "eras": [{"zero_downtime": False, "sync": ["x"]}],
                "releases": [{"id": each, "package": {"first": "1", "final": "1"}} for each in "abcde"],
                "rules": [{"id": f"r{place}"} | common | rule for place, rule in enumerate(rules)],
            },
        ]
    )


STEPWISE = {"kind": "sequential"}
ANY = {"kind": "direct"}


def stops(catalog: Catalog, policy: RoutePolicy = OFFLINE) -> str:
    return "".join(find_route(catalog, "x", "a", "e", policy).stops)


def test_shortest_comes_before_slurp() -> None:
    assert stops(small(ANY, slurp="abcde")) == "ae"


def test_of_equals_more_slurp_stops_then_older_ones() -> None:
    no_leap = {"kind": "forbidden", "pairs": [["a", "e"]]}
    assert stops(small(ANY, no_leap)) == "abe"
    assert stops(small(ANY, no_leap, slurp="d")) == "ade"
    assert stops(small(ANY, no_leap, slurp="cd")) == "ace"


def test_slurp_joins_neighbouring_slurp_releases_only() -> None:
    catalog = small(STEPWISE, {"kind": "slurp"}, slurp="ace")
    assert stops(catalog, SUPPORTED) == "ace"
    assert [hop.kind for hop in find_route(catalog, "x", "a", "d").hops] == ["slurp", "sequential"]


def test_a_gate_that_only_code_in_between_can_meet_forces_a_stop_there() -> None:
    gate = {
        "kind": "gate",
        "from": {"last": "b"},
        "to": {"first": "d"},
        "met_by": {"first": "b", "last": "b"},
        "meet": "Run it on b.",
    }
    route = find_route(small(ANY, gate), "x", "a", "e", OFFLINE)
    assert route.stops == ("a", "b", "e")
    assert [[gate.text for gate in hop.gates] for hop in route.hops] == [[], ["Because. Run it on b."]]
    assert [(each.start, each.goal, each.reason.rule) for each in route.refused] == [("a", "e", "r1")]


def test_requires_hangs_on_the_hop_as_a_gate_with_its_need() -> None:
    need = {"service": "y", "release": "c", "when": "before"}
    (hop,) = find_route(small(ANY, {"kind": "requires", "needs": need}), "x", "a", "e", OFFLINE).hops
    assert hop.gates[0].needs == Need(service="y", release="c", when="before")


def test_silent_loss_is_refused_and_a_bug_for_some_fleets_is_a_gate() -> None:
    silent = {"kind": "silent", "from": {"last": "b"}, "to": {"first": "d"}}
    assert stops(small(ANY, silent)) == "ace"
    (hop,) = find_route(small(ANY, {"kind": "forbidden", "exposed": "fleets with z"}), "x", "a", "e", OFFLINE).hops
    assert hop.gates[0].text == "Only for fleets with z: Because."


def test_without_a_way_it_says_what_is_missing() -> None:
    wall = {"kind": "collapsed", "from": {"last": "b"}, "to": {"first": "c"}}
    route = find_route(small(STEPWISE, wall), "x", "a", "e", OFFLINE)
    assert not route.found
    assert [(each.start, each.goal, each.reason.rule) for each in route.refused] == [
        ("a", "e", "r1"),
        ("b", "e", "r1"),
        ("b", "c", "r1"),
        ("a", "e", "no-route"),
    ]
    assert "one reaches a, b; the goal is reached from c, d, e;" in route.refused[-1].reason.text


def test_without_a_supported_way_it_names_the_offline_one() -> None:
    route = find_route(small(ANY), "x", "a", "e", SUPPORTED)
    assert [each.reason.rule for each in route.refused] == ["not-supported", "no-route"]
    assert "the policy offline goes a, e." in route.refused[-1].reason.text


def test_what_no_rule_admits_is_not_known() -> None:
    route = find_route(small({"kind": "direct", "pairs": [["a", "b"]]}), "x", "a", "e", OFFLINE)
    assert route.refused[0].reason.rule == "not-known"


@pytest.mark.parametrize("policy", RoutePolicy)
@pytest.mark.parametrize("name", ["keystone", "nova", "neutron", "nova-compute", "ceph-osd", "rabbitmq"])
def test_the_quick_look_at_an_edge_agrees_with_the_full_judgement(name: str, policy: RoutePolicy) -> None:
    service = load_catalog().service(name)
    may = Hops.of(service, policy)
    edges = [Edge(service, start, goal) for start, goal in combinations(service.releases, 2)]

    assert [may.hop(edge) for edge in edges] == [isinstance(judge_hop(edge, policy), Hop) for edge in edges]
