"""Mitaka asks for the new version of a fabric that others move: until it is seen, its plan waits."""

from __future__ import annotations

import json

import pytest

from reconciler.planning.observed_json import observed_to_json
from tests.cli.conftest import Call, call, conforms, shown
from tests.practices.record import AT, BEFORE, ROOT, practice
from tests.practices.test_plans import CASES, SHAPES
from tests.support.standing import standing

__all__ = ["call"]

FOLDER = ROOT / "p5/mitaka"
OBSERVED = FOLDER / "observed-waiting.json"


def test_the_observation_is_that_of_the_fleet_with_the_old_fabric() -> None:
    desired, catalog = practice("p5/mitaka")
    seen = observed_to_json(standing(desired, catalog, {**BEFORE["p5/mitaka"], "fabric": "4.2"}, AT))
    assert json.loads(OBSERVED.read_text()) == json.loads(json.dumps(seen))


@pytest.mark.parametrize(("shape", "suffix"), SHAPES)
def test_pictures_of_the_plan_that_waits(call: Call, shape: str, suffix: str) -> None:
    found = call("plan", FOLDER, "--observed", OBSERVED, "-o", shape)
    assert found.exit_code == 0, found.stderr
    assert shown(CASES / f"p5-waiting/plan.{suffix}", found.stdout)


def test_it_waits_for_the_fabric_alone() -> None:
    plan = conforms("plan", (CASES / "p5-waiting/plan.json").read_text())
    waits = [each["waits_for"] for each in plan["plans"]]
    ready = json.loads((CASES / "p5-mitaka/plan.json").read_text())
    assert ["fabric-carries-mitaka" in json.dumps(each) for (each,) in waits] == [True]
    assert [each["waits_for"] for each in ready["plans"]] == [[]]
