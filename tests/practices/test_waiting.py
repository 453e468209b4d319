"""Mitaka asks for the new version of a fabric that others move: the second leg waits until it is seen."""

from __future__ import annotations

import json

from tests.cli.conftest import conforms
from tests.practices.test_plans import CASES


def test_the_second_leg_alone_waits_for_the_fabric() -> None:
    plan = conforms("plan", (CASES / "p5/plan.json").read_text())
    waits = [[each["rule"] for each in leg["waits_for"]] for leg in plan["plans"]]
    assert waits == [[], ["fabric-carries-mitaka"]]


def test_each_leg_moves_onto_the_controller_of_its_release() -> None:
    plan = json.loads((CASES / "p5/plan.json").read_text())
    synced = [step for step in plan["steps"] if ".schema-sync." in step["id"]]
    assert {(step["hop"], step["host"]) for step in synced} == {
        ("kilo>liberty", "new1"),
        ("liberty>mitaka", "new2"),
    }
