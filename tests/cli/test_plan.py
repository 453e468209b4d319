from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from reconciler.cli.plan import exit_code
from tests.cli.conftest import CASES, Call, conforms, shown

FLEET = CASES / "fleet"
SEEN = CASES / "observed"


@pytest.mark.parametrize("seen", ["yoga", "unreachable", "between", "done"])
@pytest.mark.parametrize(("shape", "suffix"), [("tree", "txt"), ("markdown", "md"), ("json", "json")])
def test_pictures_of_plans(call: Call, seen: str, shape: str, suffix: str):
    found = call("plan", FLEET, "--observed", SEEN / f"{seen}.json", "-o", shape)
    assert found.exit_code == 0
    assert shown(CASES / f"plan/{seen}.{suffix}", found.stdout)


def test_json_is_the_contract(call: Call):
    plan = conforms("plan", call("plan", FLEET, "--observed", SEEN / "yoga.json", "-o", "json").stdout)
    assert plan["changes"] is True
    (only,) = plan["plans"]
    assert only["services"] == [
        {"service": "keystone", "from": "yoga", "to": "2026.1", "route": ["yoga", "2023.1", "2026.1"]}
    ]
    ids = [step["id"] for step in plan["steps"]]
    assert len(ids) == len(set(ids))
    for place, step in enumerate(plan["steps"]):
        assert step["plan"] == only["id"]
        assert set(step["after"]) <= set(ids[:place])


def test_the_same_inputs_give_the_same_bytes(call: Call):
    argv = ("plan", FLEET, "--observed", SEEN / "yoga.json", "-o", "json")
    assert call(*argv).stdout == call(*argv).stdout


@pytest.mark.parametrize(("seen", "code"), [("yoga", 2), ("unreachable", 1), ("between", 1), ("done", 0)])
def test_detailed_exit_codes(call: Call, seen: str, code: int):
    assert call("plan", FLEET, "--observed", SEEN / f"{seen}.json", "--detailed-exitcode").exit_code == code


def test_nothing_at_all_is_exit_0():
    assert exit_code(()) == 0


def test_an_invalid_folder_is_exit_1_with_every_error(call: Call, tmp_path: Path):
    shutil.copytree(FLEET, tmp_path / "fleet")
    (tmp_path / "fleet/fleet.yaml").write_text("fleet: {nam: x}\n")
    found = call("plan", tmp_path / "fleet", "--observed", SEEN / "yoga.json", "--detailed-exitcode")
    assert found.exit_code == 1
    assert "fleet.yaml:1:9: error: unknown key 'nam'" in found.stderr


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"hosts": {}, "databases": 3}', "\x00"])
def test_another_file_in_place_of_an_observation(call: Call, tmp_path: Path, text: str):
    (tmp_path / "seen.json").write_text(text)
    found = call("plan", FLEET, "--observed", tmp_path / "seen.json")
    assert found.exit_code == 1
    assert f"error: {tmp_path}/seen.json: " in found.stderr
    assert "reconciler observe" in found.stderr


def test_a_missing_observation(call: Call, tmp_path: Path):
    assert call("plan", FLEET).exit_code == 2
    found = call("plan", FLEET, "--observed", tmp_path / "none.json")
    assert found.exit_code == 1
    assert "No such file" in found.stderr


def test_an_observation_of_another_fleet_blocks(call: Call, tmp_path: Path):
    (tmp_path / "seen.json").write_text('{"hosts": {}, "databases": {}}')
    found = call("plan", FLEET, "--observed", tmp_path / "seen.json", "-o", "json", "--detailed-exitcode")
    assert found.exit_code == 1
    assert {block["reason"] for block in json.loads(found.stdout)["plans"][0]["blocked"]} == {"HostNotAsked"}


def test_diff_names_every_target(call: Call):
    found = call("diff", FLEET, "--observed", SEEN / "yoga.json")
    assert found.exit_code == 1
    assert shown(CASES / "diff.txt", found.stdout)
    diff = conforms("diff", call("diff", FLEET, "--observed", SEEN / "yoga.json", "-o", "json").stdout)
    assert [host["host"] for host in diff["services"][0]["hosts"] if host["differs"]] == ["ks1", "ks2", "ks3"]


def test_diff_of_what_is_as_desired_is_exit_0(call: Call):
    found = call("diff", FLEET, "--observed", SEEN / "done.json")
    assert (found.exit_code, found.stdout) == (0, "no difference\n")


def test_diff_of_what_nobody_can_tell_is_exit_2(call: Call, tmp_path: Path):
    seen = json.loads((SEEN / "done.json").read_text())
    seen["hosts"]["ks3"] = json.loads((SEEN / "unreachable.json").read_text())["hosts"]["ks3"]
    (tmp_path / "seen.json").write_text(json.dumps(seen))
    assert call("diff", FLEET, "--observed", tmp_path / "seen.json").exit_code == 2
    assert call("diff", FLEET, "--observed", tmp_path / "none.json").exit_code == 2
