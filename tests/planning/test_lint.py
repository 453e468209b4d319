"""What lint finds in catalogs that have the right form, and nothing in the packaged one."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.catalog import build_catalog, load_catalog
from reconciler.planning.edges import edges_of
from reconciler.planning.lint import lint

FACT = {"reason": "So it is.", "source": "a test", "verified": "read"}
DIRECT = {"id": "any", "kind": "direct", **FACT}


def found(*rules: dict[str, Any], **service: Any) -> list[tuple[str, str, str]]:
    """Lint a service `x` with releases a to d, a number of migrations in each."""
    lines = [
        {"id": name, "package": {"first": "1", "final": "1"}, "databases": {"main": {"migrate": {"x": number}}}}
        for number, name in enumerate("abcd", start=1)
    ]
    x = {
        "service": "x", "series": "s", "eras": [{"zero_downtime": False, "sync": ["x"]}],
        "databases": {"main": {"migrate": {"repositories": [{"name": "x"}]}}}, "releases": lines,
        "rules": [{"id": f"r{place}", **FACT, **rule} for place, rule in enumerate(rules)] or [DIRECT],
    } | service  # fmt: skip
    series = {"series": "s", "releases": [{"id": name, "codename": name} for name in "abcd"]}
    return [(each.check, each.subject, each.text) for each in lint(build_catalog([series, x]))]


def test_nothing_is_wrong_with_the_packaged_catalog() -> None:
    assert lint(load_catalog()) == ()


def test_a_sound_catalog_has_no_findings() -> None:
    assert found() == []


def test_a_release_that_no_rule_speaks_of_is_found() -> None:
    assert found({"kind": "direct", "to": {"last": "c"}}) == [("placed", "d", "no rule says how d is reached or left")]


def test_a_gap_between_releases_is_found() -> None:
    lines = [{"id": name, "package": {"first": "1", "final": "1"}} for name in ("a", "d")]
    assert found(releases=lines, databases={}, eras=[])[:2] == [
        ("placed", "b", "b is missing between a and d"),
        ("placed", "c", "c is missing between a and d"),
    ]


def test_a_rule_without_a_source_is_found() -> None:
    assert found({"kind": "direct", "source": "TODO"}) == [("sourced", "r0", "nothing says where it comes from")]


def test_a_dead_rule_is_found() -> None:
    dead = {"kind": "silent", "from": {"first": "c"}, "to": {"last": "b"}}
    assert found({"kind": "direct"}, dead) == [("dead", "r1", "it is about no hop of any release that the catalog has")]


@pytest.mark.parametrize("kind", ["silent", "poisons", "collapsed", "forbidden"])
def test_rules_that_name_one_hop_and_say_the_opposite_are_found(kind: str) -> None:
    yes, no = {"kind": "skip", "pairs": [["a", "c"]]}, {"kind": kind, "pairs": [["a", "c"], ["b", "d"]]}
    assert found({"kind": "direct"}, yes, no) == [
        ("contradiction", "r1", "a to c is admitted here and refused by r2, and both name it")
    ]


def test_a_gate_that_nobody_can_meet_is_found() -> None:
    lines = [{"id": name, "package": {"first": "1", "final": "1"}} for name in "cd"]
    gate = {"kind": "gate", "to": {"first": "d"}, "met_by": {"first": "a", "last": "b"}}
    assert [each[:2] for each in found({"kind": "direct"}, gate, releases=lines, databases={}, eras=[])] == [
        ("contradiction", "r1")
    ]


def test_markers_that_come_back_are_found() -> None:
    lines = [
        {"id": name, "package": {"first": "1", "final": "1"}, "databases": {"main": {"migrate": {"x": number}}}}
        for name, number in {"a": 1, "b": 2, "c": 1, "d": 1}.items()
    ]
    assert found(releases=lines) == [("markers", "c", "its markers are those of a, but not of what lies between")]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"kind": "skew", "skew": {"service": "xx"}}, "service 'xx' is not in the catalog; did you mean x?"),
        (
            {"kind": "requires", "needs": {"service": "x", "release": "e", "when": "before"}},
            "release 'e' is not of series s; known: a, b, c, d",
        ),
        (
            {"kind": "excludes", "excludes": {"service": "x", "first": "f"}},
            "release 'f' is not of series s; known: a, b, c, d",
        ),
    ],
)
def test_names_that_lead_nowhere_are_found(rule: dict[str, Any], text: str) -> None:
    assert found({"kind": "direct"}, rule) == [("relation", "r1", text)]


def test_every_pair_of_releases_is_judged_once() -> None:
    service = load_catalog().service("glance")
    edges = list(edges_of(service))

    assert len(edges) == len({(each.start, each.goal) for each in edges}) == 24 * 23 // 2
    assert {each.verdict for each in edges} >= {"sequential", "slurp", "direct"}
    assert next(e for e in edges if (e.start, e.goal) == ("kilo", "pike")).verdict == "refused"
