"""The rules of every service against the survey of real code that they were made from, pair by pair."""

from __future__ import annotations

import json
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.catalog import load_catalog
from reconciler.domain.catalog import Service
from reconciler.domain.release import Series
from reconciler.domain.route import EdgeVerdict, Hop, RoutePolicy
from reconciler.domain.rule import RuleKind
from reconciler.planning.edges import Edge, applies, judge_hop, verdict_on

HERE = Path(__file__).parent
MEANING = {
    "ok ok": EdgeVerdict.OK,
    "blocked ok": EdgeVerdict.GATED,
    "no refused": EdgeVerdict.REFUSED,
    "no reinit": EdgeVerdict.POISONS,
    "unsafe ok": EdgeVerdict.SILENT,
    "unsafe accepted_unsafe": EdgeVerdict.SILENT,
    "unsafe silent_stamp": EdgeVerdict.SILENT,
}
"""What the survey's words, its verdict and what the tool does, mean for us; docs/reference/catalog.md has the table."""
SURVEYS = {
    path.name.removesuffix("_accepts.json"): json.loads(path.read_text()) for path in HERE.glob("*_accepts.json")
}
DEVIATIONS = yaml.safe_load((HERE / "deviations.yaml").read_text())
JUMPS = yaml.safe_load((HERE / "real_jumps.yaml").read_text())
COLLAPSES = json.loads((HERE / "collapses.json").read_text())
CATALOG = load_catalog()
Pair = tuple[str, str]


def edge(service: Service, start: str, goal: str) -> Edge:
    return Edge(service, service.at(start), service.at(goal))


def within(series: Series, span: dict[str, str], release: str) -> bool:
    low = series.find(span["first"]).index if "first" in span else 0
    high = series.find(span["last"]).index if "last" in span else len(series.releases)
    return low <= series.find(release).index <= high


def covered(deviation: dict[str, Any]) -> list[Pair]:
    """Return the pairs that a deviation is about."""
    series = CATALOG.service(deviation["service"]).series
    return [
        (start, goal)
        for goal, starts in SURVEYS[deviation["service"]].items()
        for start, words in starts.items()
        if words == deviation["survey"]
        and within(series, deviation["from"], start)
        and within(series, deviation["to"], goal)
    ]


@cache
def deviating(name: str) -> frozenset[Pair]:
    """Return the pairs of a service where the survey does not have the last word."""
    return frozenset(pair for each in DEVIATIONS if each["service"] == name for pair in covered(each))


def expected(name: str) -> dict[Pair, EdgeVerdict]:
    """Return the verdict on every pair: the survey's, but where a real run says otherwise."""
    found = {(start, goal): MEANING[words] for goal, starts in SURVEYS[name].items() for start, words in starts.items()}
    for deviation in DEVIATIONS:
        if deviation["service"] == name:
            found |= dict.fromkeys(covered(deviation), EdgeVerdict(deviation["verdict"]))
    return found


@pytest.mark.parametrize("name", sorted(SURVEYS))
def test_the_survey_covers_every_pair_of_releases(name: str) -> None:
    ids = [each.release.id for each in CATALOG.service(name).releases]
    assert sorted(expected(name)) == sorted(combinations(ids, 2))


@pytest.mark.parametrize("name", sorted(SURVEYS))
def test_the_rules_give_the_verdicts_of_survey_and_runs(name: str) -> None:
    service = CATALOG.service(name)
    wanted = expected(name)
    told = {pair: verdict_on(edge(service, *pair)) for pair in wanted}
    assert {pair: (told[pair], wanted[pair]) for pair in wanted if told[pair] is not wanted[pair]} == {}


@pytest.mark.parametrize("jump", JUMPS, ids=lambda each: f"{each['service']}-{each['from'][0]}-{each['to'][0]}")
def test_the_rules_give_what_was_seen_in_real_jumps(jump: dict[str, Any]) -> None:
    service = CATALOG.service(jump["service"])
    told = {(start, goal): verdict_on(edge(service, start, goal)) for start in jump["from"] for goal in jump["to"]}
    assert told == dict.fromkeys(told, EdgeVerdict(jump["verdict"]))


@pytest.mark.parametrize("point", COLLAPSES, ids=lambda each: f"{each['service']}-{each['to']}-{each['from']}")
def test_at_a_collapse_point_the_oldest_start_passes_and_none_before_it(point: dict[str, str]) -> None:
    """What a rule refuses there is what is older; a gate or skipped online migration may stand in the way of the oldest."""
    service = CATALOG.service(point["service"])
    order = [each.release.id for each in service.releases]
    if (point["from"], point["to"]) not in deviating(point["service"]):
        at_it = verdict_on(edge(service, point["from"], point["to"]))
        assert at_it not in {None, EdgeVerdict.REFUSED, EdgeVerdict.POISONS}
    for older in order[: order.index(point["from"])]:
        assert verdict_on(edge(service, older, point["to"])) is not EdgeVerdict.OK, older


@pytest.mark.parametrize("name", sorted(SURVEYS))
def test_a_rule_that_refuses_says_what_the_tool_does(name: str) -> None:
    """Nothing but the survey's word; where a run says otherwise, the rule may too."""
    service = CATALOG.service(name)
    outcomes = {rule.id: rule.outcome for rule in service.rules}
    for goal, starts in SURVEYS[name].items():
        for start, words in starts.items():
            does = words.partition(" ")[2]
            judged = judge_hop(edge(service, start, goal), RoutePolicy.OFFLINE)
            if does != "ok" and (start, goal) not in deviating(name):
                assert not isinstance(judged, Hop)
                assert outcomes[judged.reason.rule] == does, (start, goal)


@pytest.mark.parametrize("name", sorted(SURVEYS))
def test_a_rule_about_the_code_stands_behind_every_hop(name: str) -> None:
    service = CATALOG.service(name)
    for pair, verdict in expected(name).items():
        if verdict is EdgeVerdict.OK:
            here = edge(service, *pair)
            assert any(rule.kind is RuleKind.DIRECT and applies(rule, here) for rule in service.rules), pair


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda each: f"{each['service']}-{each['verdict']}")
def test_a_deviation_is_about_something_and_says_why(deviation: dict[str, Any]) -> None:
    assert covered(deviation)
    assert MEANING[deviation["survey"]] is not EdgeVerdict(deviation["verdict"])
    assert deviation["reason"]
    assert deviation["source"]


@pytest.mark.parametrize("name", sorted(SURVEYS))
def test_what_only_code_in_between_can_do_is_never_skipped(name: str) -> None:
    """An online data migration that a hop would leave out makes the hop gated, silent or worse, or is a condition of it."""
    service = CATALOG.service(name)
    missed = []
    for function, first, last in stretches(service):
        for start, goal in expected(name):
            here = edge(service, start, goal)
            if here.places[0] < first and last < here.places[1] and not minded(here, function):
                missed.append((function, start, goal))
    assert missed == []


@pytest.mark.parametrize("name", sorted(SURVEYS))
def test_what_the_start_must_finish_is_a_condition(name: str) -> None:
    """A hop that leaves the last code behind that holds an online data migration names it in a gate."""
    service = CATALOG.service(name)
    missed = []
    for function, first, last in stretches(service):
        for start, goal in expected(name):
            here = edge(service, start, goal)
            if first <= here.places[0] <= last < here.places[1] and not minded(here, function):
                missed.append((function, start, goal))
    assert missed == []


def stretches(service: Service) -> list[tuple[str, int, int]]:
    """Return each online data migration with the first and last release whose code holds it."""
    holders: dict[str, list[int]] = {}
    for each in service.releases:
        for function in each.backfills:
            holders.setdefault(function, []).append(each.release.index)
    return [(function, places[0], places[-1]) for function, places in holders.items()]


def minded(here: Edge, function: str) -> bool:
    """Say whether a hop is not taken at all, or only under a condition that names the function."""
    judged = judge_hop(here, RoutePolicy.OFFLINE)
    return not isinstance(judged, Hop) or any(function in gate.text for gate in judged.gates)


def test_upstream_supports_the_release_before_and_the_slurp_before() -> None:
    for name in SURVEYS:
        service = CATALOG.service(name)
        supported: dict[str, list[str]] = {}
        for start, goal in expected(name):
            if isinstance(judge_hop(edge(service, start, goal), RoutePolicy.SUPPORTED), Hop):
                supported.setdefault(goal, []).append(start)
        assert {goal: starts for goal, starts in supported.items() if len(starts) != 1} == {
            "2023.1": ["yoga", "zed"],
            "2024.1": ["2023.1", "2023.2"],
            "2025.1": ["2024.1", "2024.2"],
            "2026.1": ["2025.1", "2025.2"],
        }, name
