from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reconciler.catalog import load_catalog
from reconciler.cli.history import to_json
from reconciler.cli.plan import exit_code
from reconciler.cli.plan_markdown import _code, _text, markdown_of
from reconciler.cli.world import read_folder, read_observed
from reconciler.domain.chain import seal
from reconciler.domain.journal import GENESIS, Draft, Entry, Kind
from reconciler.domain.outcome import Done
from reconciler.domain.plan import Json
from reconciler.planning.preview import preview
from reconciler.planning.serial import outcome_to_json, plan_to_json
from tests.cli.conftest import CASES, Call, conforms, shown

FLEET = CASES / "fleet"
SEEN = CASES / "observed"
AT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("seen", ["yoga", "unreachable", "between", "done"])
@pytest.mark.parametrize(("shape", "suffix"), [("tree", "txt"), ("markdown", "md"), ("json", "json")])
def test_pictures_of_plans(call: Call, seen: str, shape: str, suffix: str):
    found = call("plan", FLEET, "--observed", SEEN / f"{seen}.json", "-o", shape)
    assert found.exit_code == 0
    assert shown(CASES / f"plan/{seen}.{suffix}", found.stdout)


def test_every_step_with_what_runs(call: Call):
    found = call("plan", FLEET, "--observed", SEEN / "yoga.json", "--steps")
    assert shown(CASES / "plan/yoga.steps.txt", found.stdout)
    assert call("plan", FLEET, "--observed", SEEN / "yoga.json", "-v").stdout == found.stdout


def test_a_comment_that_would_be_too_long_is_cut_and_says_so():
    desired = read_folder(FLEET)
    previews = preview(desired, load_catalog(desired.catalog), read_observed(SEEN / "yoga.json"), AT)
    whole = markdown_of(previews)
    for most in (5000, 2500, 1200, 600):
        cut = markdown_of(previews, most=most)
        assert len(cut) <= most
        assert "**Cut here**" in cut
        assert "reconciler plan DIR --observed FILE --steps" in cut
        assert cut.count("<details>") == cut.count("</details>")
    assert "**Cut here**" not in whole
    assert markdown_of(previews, most=len(whole) + 500) == whole


def test_markdown_of_others_is_no_markup():
    assert _text("<b>|@team #12 a\nb") == r"\<b\>\|@\u200bteam \#\u200b12 a b".replace(r"\u200b", "\u200b")
    assert _text("`x` *y* _z_ [a](b) ~c~ nova_api") == r"\`x\` \*y\* \_z\_ \[a\](b) \~c\~ nova_api"
    assert [_text(each) for each in ("- a", "1. a", "12) a", "--- a", "-v 1.2")] == [
        r"\- a",
        r"1\. a",
        r"12\) a",
        r"\--- a",
        "-v 1.2",
    ]
    assert _text(":warning: at a.yaml:3:5") == ":\u200bwarning: at a.yaml:3:5"
    assert _code("echo `date`") == "`` echo `date` ``"
    assert len(_code("x" * 5000)) < 330


def test_durations_of_a_recorded_journal(call: Call, tmp_path: Path):
    (tmp_path / "history.json").write_text(json.dumps(journal()))
    argv = ("plan", FLEET, "--observed", SEEN / "yoga.json", "--history", tmp_path / "history.json")
    plan = conforms("plan", call(*argv, "-o", "json").stdout)
    bare = json.loads(call(*argv[:4], "-o", "json").stdout)
    (pause,), (unknown,) = plan["plans"][0]["pauses"], bare["plans"][0]["pauses"]
    assert (pause["measured_s"], unknown["measured_s"]) == (30.0, None)
    assert "keystone.quiesce.stop@ks1" not in pause["unmeasured"]
    assert plan["plans"][0]["id"] == bare["plans"][0]["id"]
    text = call(*argv).stdout
    assert "at least 30 s, and what was not measured yet: " in text


@pytest.mark.parametrize("text", ["", "[]", '{"entries": [{}]}', '{"entries": [{"at": "now", "body": {}}]}'])
def test_another_file_in_place_of_a_journal(call: Call, tmp_path: Path, text: str):
    (tmp_path / "history.json").write_text(text)
    argv = ("plan", FLEET, "--observed", SEEN / "yoga.json", "--history", tmp_path / "history.json")
    found = call(*argv)
    assert found.exit_code == 1
    assert "reconciler history" in found.stderr


def test_a_journal_that_was_changed_is_refused(call: Call, tmp_path: Path):
    changed = journal()
    changed["entries"][1]["at"] = "2026-01-01T00:00:00+00:00"
    (tmp_path / "history.json").write_text(json.dumps(changed))
    found = call("plan", FLEET, "--observed", SEEN / "yoga.json", "--history", tmp_path / "history.json")
    assert found.exit_code == 1
    assert "its hash does not match" in found.stderr


def test_every_leg_to_the_goal_is_numbered(call: Call, tmp_path: Path):
    shutil.copytree(FLEET, tmp_path / "fleet")
    service = tmp_path / "fleet/services/keystone.yaml"
    service.write_text(service.read_text().replace("procedure: fast-forward", "procedure: downtime"))
    argv = ("plan", tmp_path / "fleet", "--observed", SEEN / "yoga.json")
    plans = conforms("plan", call(*argv, "-o", "json").stdout)["plans"]
    assert [(each["leg"], each["legs"]) for each in plans] == [(1, 2), (2, 2)]
    assert [each["services"][0]["route"] for each in plans] == [["yoga", "2023.1"], ["2023.1", "2026.1"]]
    assert "leg 2 of 2, identity: keystone 2023.1 → 2026.1" in call(*argv).stdout
    assert "### leg 2 of 2, identity: keystone 2023.1 → 2026.1" in call(*argv, "-o", "markdown").stdout


def journal() -> dict[str, Any]:
    """Return a journal in which the first stop took half a minute."""
    desired = read_folder(FLEET)
    (found,) = preview(desired, load_catalog(desired.catalog), read_observed(SEEN / "yoga.json"), AT)
    assert found.plan is not None
    where = {"group": "identity", "run": "r1"}
    done: dict[str, Json] = {"attempt": 1, **outcome_to_json(Done({}, ""))}
    drafts = [
        (0, Draft(Kind.PLAN_PINNED, **where, body={"plan": plan_to_json(found.plan)})),
        (0, Draft(Kind.INTENT, **where, step="keystone.quiesce.stop@ks1", body={"attempt": 1, "epoch": 1})),
        (30, Draft(Kind.RESULT, **where, step="keystone.quiesce.stop@ks1", body=done)),
    ]
    entries: list[Entry] = []
    for seconds, draft in drafts:
        prev = entries[-1].hash if entries else GENESIS
        entries.append(seal(draft, len(entries) + 1, AT + timedelta(seconds=seconds), prev))
    return {"entries": to_json(entries)}


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


@given(st.text("`*_[]()<>|~&#$\\!-+=.:;/ 1aä\n\t\"'{}@^%", min_size=1, max_size=40).filter(str.strip))
def test_no_text_becomes_markup(text: str):
    shown = " ".join(text.split())
    html = escape(shown, quote=False).replace('"', "&quot;")
    for before in ("x: ", "| a | b |\n| --- | --- |\n| x | ", "- **x**: ", "x *", "  "):
        after = {"|": " |", "*": "*"}.get(before.strip()[-1:], "")
        said = _text(text).replace("\N{ZERO WIDTH SPACE}", "")
        assert rendered(f"{before}{said}{after}") == rendered(f"{before}QQ{after}").replace("QQ", html)


def rendered(text: str) -> str:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)
