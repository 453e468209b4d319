"""The published upgrades as desired states: valid, planned whole, and drawn as they are kept."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Call, call, conforms, shown
from tests.practices.record import PRACTICES, ROOT, recorded

__all__ = ["call"]

CASES = Path(__file__).parents[1] / "cases/practices"
DOCS = Path(__file__).parents[2] / "docs/practices"
SHAPES = (("tree", "txt"), ("markdown", "md"), ("json", "json"))


def case(name: str) -> Path:
    return CASES / name.replace("/", "-")


@pytest.mark.parametrize("name", PRACTICES)
def test_it_is_valid(call: Call, name: str) -> None:
    found = call("validate", ROOT / name)
    assert found.exit_code == 0, found.stdout + found.stderr


@pytest.mark.parametrize("name", PRACTICES)
def test_the_observation_is_that_of_the_fleet_before(name: str) -> None:
    assert json.loads((ROOT / name / "observed.json").read_text()) == json.loads(json.dumps(recorded(name)))


@pytest.mark.parametrize("name", PRACTICES)
@pytest.mark.parametrize(("shape", "suffix"), SHAPES)
def test_pictures_of_plans(call: Call, name: str, shape: str, suffix: str) -> None:
    found = call("plan", ROOT / name, "--observed", ROOT / name / "observed.json", "-o", shape)
    assert found.exit_code == 0, found.stderr
    assert shown(case(name) / f"plan.{suffix}", found.stdout)


@pytest.mark.parametrize("name", PRACTICES)
def test_nothing_stands_in_its_way(call: Call, name: str) -> None:
    plan = conforms("plan", (case(name) / "plan.json").read_text())
    assert plan["changes"] is True
    assert [each["blocked"] for each in plan["plans"]] == [[] for _ in plan["plans"]]


@pytest.mark.parametrize("name", PRACTICES)
def test_the_page_names_steps_that_are_there(name: str) -> None:
    page = (DOCS / f"{name.partition('/')[0]}.md").read_text()
    known = [
        step["id"]
        for folder in sorted(CASES.glob(f"{name.partition('/')[0]}*"))
        for step in json.loads((folder / "plan.json").read_text())["steps"]
    ]
    named = re.findall(
        r"`([a-z0-9-]+\.(?:preflight|prepare|quiesce|backup|load|migrate|roll|backfill|cutover|contract|retire|finish)\.[^`]*)`",
        page,
    )
    assert len(named) >= 10
    strange = [each for each in named if not any(_fits(each, step) for step in known)]
    assert strange == []


def _fits(named: str, step: str) -> bool:
    return step.startswith(named.removesuffix("*")) if named.endswith("*") else named == step
