"""What the catalog says of Keystone, against the survey of real code that it was made from."""

import json
from itertools import combinations
from pathlib import Path

import pytest

from reconciler.catalog import load_catalog
from reconciler.domain.commands import SchemaCommand
from reconciler.domain.route import Hop, RoutePolicy
from reconciler.domain.rule import RuleKind
from reconciler.planning.edges import Edge, applies, judge_hop

ACCEPTS = json.loads((Path(__file__).parent / "keystone_accepts.json").read_text("utf-8"))
KEYSTONE = load_catalog().service("keystone")
PAIRS = [(start, goal) for goal, starts in ACCEPTS.items() for start in starts]


def test_the_survey_covers_every_pair_of_releases() -> None:
    ids = [each.release.id for each in KEYSTONE.releases]
    assert sorted(PAIRS) == sorted(combinations(ids, 2))


@pytest.mark.parametrize("goal", ACCEPTS)
def test_the_rules_give_the_verdicts_of_the_survey(goal: str) -> None:
    edges = {start: Edge(KEYSTONE, KEYSTONE.at(start), KEYSTONE.at(goal)) for start in ACCEPTS[goal]}
    verdicts = {start: judge_hop(edge, RoutePolicy.OFFLINE) for start, edge in edges.items()}
    outcomes = {rule.id: rule.outcome for rule in KEYSTONE.rules}
    told = {
        start: "ok" if isinstance(verdict, Hop) else outcomes[verdict.reason.rule]
        for start, verdict in verdicts.items()
    }
    assert told == ACCEPTS[goal]


@pytest.mark.parametrize(("start", "goal"), [pair for pair in PAIRS if ACCEPTS[pair[1]][pair[0]] == "ok"])
def test_a_rule_about_the_code_stands_behind_every_hop(start: str, goal: str) -> None:
    edge = Edge(KEYSTONE, KEYSTONE.at(start), KEYSTONE.at(goal))
    assert any(rule.kind is RuleKind.DIRECT and applies(rule, edge) for rule in KEYSTONE.rules)


def test_upstream_supports_the_release_before_and_the_slurp_before() -> None:
    supported = {
        goal: [
            start
            for start in starts
            if isinstance(judge_hop(Edge(KEYSTONE, KEYSTONE.at(start), KEYSTONE.at(goal)), RoutePolicy.SUPPORTED), Hop)
        ]
        for goal, starts in ACCEPTS.items()
    }
    two = {goal: starts for goal, starts in supported.items() if len(starts) != 1}
    assert two == {
        "kilo": [],
        "2023.1": ["yoga", "zed"],
        "2024.1": ["2023.1", "2023.2"],
        "2025.1": ["2024.1", "2024.2"],
        "2026.1": ["2025.1", "2025.2"],
    }


def test_every_release_has_a_schema_and_a_sync_command() -> None:
    for each in KEYSTONE.releases:
        assert each.schema["main"], each.release.id
        assert each.commands.sync == (SchemaCommand(argv=("keystone-manage", "db_sync"), databases=("main",)),)
        assert each.units == ("keystone",)
        assert each.deb_prefix.endswith(".")


def test_commands_follow_the_code() -> None:
    has = {
        name: [each.release.id for each in KEYSTONE.releases if getattr(each.commands, name)]
        for name in ("expand", "migrate", "contract", "upgrade_check")
    }
    assert (has["expand"][0], has["expand"][-1]) == ("newton", "2026.2")
    assert (has["migrate"][0], has["migrate"][-1]) == ("newton", "yoga")
    assert has["contract"] == has["expand"]
    assert has["upgrade_check"][0] == "stein"
    assert [each.release.id for each in KEYSTONE.releases if each.zero_downtime] == has["expand"]


def test_facts_that_no_rule_can_hold_are_notes() -> None:
    notes = {note.id: note for note in KEYSTONE.notes}
    lying = notes["keystone-check-lies"].releases
    assert [each.release.id for each in KEYSTONE.releases if each.release.index in lying] == [
        "2023.2",
        "2024.1",
    ]
    assert all(note.text and note.source for note in KEYSTONE.notes)
