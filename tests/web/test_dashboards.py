"""The rules of grafana/dashboard-linter that matter here, on our own boards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

BOARDS = sorted((Path(__file__).parents[2] / "deploy/grafana").glob("*.json"))
Board = Mapping[str, Any]


@pytest.fixture(params=BOARDS, ids=lambda path: path.stem)
def board(request: pytest.FixtureRequest) -> Board:
    return json.loads(request.param.read_text())


def test_there_is_one():
    assert BOARDS


def test_it_is_found_again_and_not_edited_by_hand(board: Board):
    assert board["uid"].startswith("reconciler-")
    assert board["tags"] == ["reconciler"]
    assert board["timezone"]
    assert board["editable"] is False


def test_its_data_source_is_chosen(board: Board):
    variables = {each["name"]: each for each in board["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert all(each["refresh"] == 2 for each in variables.values() if each["type"] == "query")
    for panel in board["panels"]:
        for place in (panel, *panel["targets"]):
            assert place["datasource"]["uid"] == "${datasource}"


def test_every_panel_says_what_it_shows(board: Board):
    titles = [panel["title"] for panel in board["panels"]]
    assert len(titles) == len(set(titles))
    assert len({panel["id"] for panel in board["panels"]}) == len(titles)
    for panel in board["panels"]:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]


def test_every_query_looks_at_the_chosen_job(board: Board):
    for panel in board["panels"]:
        for target in panel["targets"]:
            assert target["expr"].count("reconciler_") == target["expr"].count('job=~"$job"')
            assert "[5m]" not in target["expr"]


def test_panels_do_not_overlap(board: Board):
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert max(x for x, _ in cells) < 24
        assert not cells & taken
        taken |= cells
