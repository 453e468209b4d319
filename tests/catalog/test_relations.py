"""Rules that name another component, from literals."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.catalog import build_catalog
from reconciler.domain.catalog import Catalog
from reconciler.domain.relation import Exclusion, Exposure, Skew
from reconciler.domain.route import RoutePolicy
from reconciler.domain.rule import Rule
from reconciler.errors import CatalogError
from reconciler.planning.route import find_route

FACT = {"reason": "So it is.", "source": "a test", "verified": "read"}
RELEASES = ("one", "two", "three", "four")


def catalog(*rules: dict[str, Any]) -> Catalog:
    return build_catalog(
        [
            {"series": "s", "releases": [{"id": name, "codename": name} for name in RELEASES]},
            {
                "service": "agent",
                "series": "s",
                "eras": [{"zero_downtime": False, "sync": ["agent"]}],
                "releases": [{"id": name, "package": {"first": "1", "final": "1"}} for name in RELEASES],
                "rules": [{"id": f"r{place}", **FACT, **rule} for place, rule in enumerate(rules)],
            },
        ]
    )


def rule(**said: Any) -> Rule:
    return catalog(said).service("agent").rules[0]


def test_skew_names_the_other_component_and_how_far_one_may_lag() -> None:
    skew = {"service": "control", "oldest": {"four": "two"}}

    assert rule(kind="skew", skew=skew).skew == Skew(service="control", behind=1, oldest={"four": "two"})


def test_an_exclusion_may_be_open_at_either_end() -> None:
    found = rule(kind="excludes", to={"first": "three"}, excludes={"service": "fabric", "last": "1"})

    assert found.excludes == Exclusion(service="fabric", last="1")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("fleets of old", None),
        ({"text": "fleets of old"}, Exposure(text="fleets of old")),
        ({"text": "old", "sql": "SELECT 1"}, Exposure(text="old", sql="SELECT 1", database="main")),
        ({"text": "old", "command": ["true"]}, Exposure(text="old", command=("true",))),
        ({"text": "old", "promql": "up == 0"}, Exposure(text="old", promql="up == 0")),
    ],
)
def test_a_fleet_may_be_asked_whether_it_is_exposed(said: object, meant: Exposure | None) -> None:
    needs = {"service": "control", "release": "two", "when": "before"}

    assert rule(kind="requires", needs=needs, exposed=said).exposure == meant


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "skew"},
        {"kind": "excludes"},
        {"kind": "direct", "skew": {"service": "control"}},
        {"kind": "requires", "excludes": {"service": "control"}},
        {"kind": "direct", "exposed": "fleets of old"},
        {"kind": "forbidden", "exposed": {"text": "old", "sql": "SELECT 1", "promql": "up"}},
        {"kind": "forbidden", "exposed": {"text": "old", "sql": "DELETE FROM user"}},
        {"kind": "forbidden", "exposed": {"text": "old", "sql": "SELECT sleep(9)"}},
    ],
)
def test_a_rule_says_what_its_kind_asks_for_and_nothing_else(wrong: dict[str, Any]) -> None:
    with pytest.raises(CatalogError):
        rule(**wrong)


def test_where_services_stand_is_no_condition_of_a_hop() -> None:
    rules = (
        {"kind": "direct"},
        {"kind": "skew", "skew": {"service": "control"}},
        {"kind": "excludes", "excludes": {"service": "fabric"}, "exposed": "some"},
    )
    found = find_route(catalog(*rules), "agent", "one", "four", RoutePolicy.OFFLINE)

    assert [hop.gates for hop in found.hops] == [()]


def test_upstream_may_support_to_go_over_releases() -> None:
    rules = ({"kind": "sequential"}, {"kind": "skip", "pairs": [["one", "three"]]})
    found = find_route(catalog(*rules), "agent", "one", "four")

    assert [(hop.start, hop.goal, hop.kind) for hop in found.hops] == [
        ("one", "three", "skip"),
        ("three", "four", "sequential"),
    ]


def test_rules_of_a_file_of_relations_are_the_services_own() -> None:
    series = {"series": "s", "releases": [{"id": "one", "codename": "one"}]}
    agent = {"service": "agent", "series": "s", "releases": [{"id": "one", "package": {"first": "1", "final": "1"}}]}
    skew = {"id": "lag", "service": "agent", "kind": "skew", "skew": {"service": "control"}, **FACT}
    found = build_catalog([series, agent, {"relations": "lags", "rules": [skew]}]).service("agent")

    assert [each.id for each in found.rules] == ["lag"]
    with pytest.raises(CatalogError, match="nobody: has a relation, but is not in the catalog"):
        build_catalog([series, agent, {"relations": "lags", "rules": [skew | {"service": "nobody"}]}])


def test_a_service_may_be_of_the_packages_of_another() -> None:
    series = {"series": "s", "releases": [{"id": name, "codename": name} for name in RELEASES]}
    lines = [
        {"id": name, "package": {"first": f"{place}.0", "final": f"{place}.9"}} for place, name in enumerate(RELEASES)
    ]
    control = {"service": "control", "series": "s", "releases": lines}
    agent = {"service": "agent", "series": "s", "releases_of": {"service": "control", "first": "two"}}
    known = build_catalog([series, agent, control])

    assert [(each.release.id, each.final_version) for each in known.service("agent").releases] == [
        ("two", "1.9"),
        ("three", "2.9"),
        ("four", "3.9"),
    ]
    assert known.service("agent").at("two").commands.sync == ()
    with pytest.raises(CatalogError, match="has none of its own"):
        build_catalog([series, agent, control, {"service": "x", "series": "s", "releases_of": {"service": "agent"}}])
