"""`reconciler why`, of a folder and from what a daemon published."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.why_trace import Known, lines_of, trace_of
from reconciler.cli.words import lasting
from reconciler.domain.outcome import Done, Failed
from reconciler.domain.plan import Wait
from reconciler.domain.reasons import Reason
from reconciler.domain.run import Attempt, Run
from reconciler.domain.who import Who, who_clears
from reconciler.planning.preview import Preview
from tests.cli.conftest import CASES, Call, conforms, shown
from tests.planning.graphs import ALL_STOPPED

FLEET = CASES / "fleet"
AT = datetime(2026, 1, 2, tzinfo=UTC)


def seen(name: str) -> tuple[str, Path, str, Path]:
    return ("--dir", FLEET, "--observed", CASES / f"observed/{name}.json")


@pytest.mark.parametrize("name", ["yoga", "unreachable", "between", "done"])
def test_a_trace_of_a_folder(call: Call, name: str):
    found = call("why", "keystone", *seen(name))
    assert found.exit_code == 0
    assert shown(CASES / f"why/{name}.txt", re.sub(r"seen .+? ago", "seen AGO", found.stdout))


def test_the_contract(call: Call):
    why = conforms("why", call("why", "keystone", *seen("unreachable"), "-o", "json").stdout)
    assert why["desired"] == {"release": "2026.1", "where": "services/keystone.yaml:3:12", "revision": ""}
    assert why["observed"]["databases"][0]["seen_at"] == "2026-11-21T22:00:00Z"
    assert [stop["reason"] for stop in why["stops"]] == ["HostUnreachable"]
    assert why["route"]["refused"][0]["rule"] == "keystone-legacy-removed"
    assert conforms("why", call("why", "keystone", *seen("done"), "-o", "json").stdout)["route"] is None


def test_one_host(call: Call):
    why = conforms("why", call("why", "keystone@ks2", *seen("yoga"), "-o", "json").stdout)
    assert [host["host"] for host in why["observed"]["hosts"]] == ["ks2"]
    assert why["observed"]["databases"] == []


def test_an_override_is_where_it_is_written(call: Call, tmp_path: Path):
    service = (FLEET / "services/keystone.yaml").read_text()
    held = '  overrides: {ks2: {release: yoga, reason: "a plugin", until: "2030-01-01"}}\n'
    for path in FLEET.rglob("*"):
        if path.is_file():
            copy = tmp_path / path.relative_to(FLEET)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    (tmp_path / "services/keystone.yaml").write_text(service + held)
    argv = ("--dir", tmp_path, "--observed", CASES / "observed/yoga.json", "-o", "json")
    why = conforms("why", call("why", "keystone@ks2", *argv).stdout)
    line = len(service.splitlines()) + 1
    assert why["desired"]["release"] == "yoga"
    assert why["desired"]["where"].startswith(f"services/keystone.yaml:{line}:")
    assert why["stops"][0]["who"] == "committer"


def test_names_that_do_not_exist(call: Call):
    assert "did you mean keystone?" in call("why", "keyston", *seen("yoga")).stderr
    assert call("why", "keystone@ks9", *seen("yoga")).exit_code == 1
    assert call("why", "keystone", "--dir", FLEET).exit_code == 2


# ---------------------------------------------------------------- what a daemon knows besides

STATUS = {
    "service": "s",
    "group": "g",
    "desired": "b",
    "position": "a",
    "verdict": "Halted",
    "reason": "CanaryFailed",
    "text": "check on a: no answer",
    "hint": "Read the text.",
    "since": "2026-01-02T00:00:00Z",
}
HALT = {"id": "h1", "reason": "CanaryFailed", "text": "check on a: no answer", "hint": "Read the text.", "since": "..."}
KNOWN = Known(status=STATUS, place={"where": "s.yaml:1:1"}, preview=None, revision="f" * 40, halts=(HALT,))


def trace(known: Known, host: str = "") -> dict[str, Any]:
    found: dict[str, Any] = conforms("why", json.dumps(trace_of(known, host)))
    return found


def test_a_halt_is_told_once_with_its_id():
    found = trace(KNOWN)
    (stop,) = found["stops"]
    assert (stop["kind"], stop["id"], stop["who"]) == ("halt", "h1", "committer")
    text = "\n".join(lines_of(found, AT))
    assert text.count("no answer") == 1
    assert "reconciler clear-halt h1" in text
    assert "desired: b (s.yaml:1:1, commit ffffffffffff)" in text


def test_a_suspension_a_refused_commit_and_a_wait():
    known = replace(
        KNOWN,
        status={**STATUS, "verdict": "Waiting", "reason": "Claimed", "text": "another leg is open"},
        halts=(),
        suspensions=({"scope": "", "by": "ada", "why": "a quiet night", "since": "2026-01-01T00:00:00Z"},),
        problems=({"reason": "SourceInvalid", "text": "fleet.yaml:1:1: wrong", "hint": "Mend it."},),
    )
    found = trace(known)
    assert [(stop["kind"], stop["who"]) for stop in found["stops"]] == [
        ("commit", "committer"),
        ("suspension", "operator"),
        ("wait", "time"),
    ]
    assert found["stops"][1]["hint"] == "`reconciler resume`"


def test_legs_that_come_first():
    waits = tuple(
        Wait(group=name, leg=2, rule="r", text="first", others=name == "fabric") for name in ("ceph", "fabric")
    )
    preview = Preview("g", replace(ALL_STOPPED, waits_for=waits))
    found = trace(replace(KNOWN, halts=(), preview=preview))["stops"]
    assert [(stop["kind"], stop["reason"], stop["who"]) for stop in found] == [
        ("wait", "Dependency", "time"),
        ("wait", "DependencyOfOthers", "another team"),
    ]
    assert found[0]["text"] == "leg 2 of ceph comes first: first [r]"


def test_an_open_run_is_told_step_by_step():
    stop, other = ALL_STOPPED.steps[2:4]
    attempts = {
        "prepare.fetch@a": (Attempt(1, AT, 1, outcome=Done({}, "")),),
        stop.id: (Attempt(1, AT, 1, outcome=Failed("StepFailed", "exit code 1")),),
        other.id: (Attempt(1, AT, 1),),
    }
    run = Run(id="r1", plan=ALL_STOPPED, started_at=AT, attempts=attempts)
    found = trace(replace(KNOWN, run=run))["run"]
    assert (found["done"], found["of"], found["running"]) == (1, 10, ["stop on b"])
    assert found["failed"] == ["stop on a: StepFailed: exit code 1"]
    assert trace_of(replace(KNOWN, run=run, place={"hosts": [{"host": "b", "desired": "b"}]}), "b")["run"]["of"] == 3


def test_ages_and_times_in_words():
    place = {"databases": [{"name": "main", "releases": [], "text": "", "seen_at": "2026-01-02T00:00:00Z"}]}
    found = trace_of(replace(KNOWN, place=place), "")
    assert "  database main: unknown, seen 2 min ago. " in lines_of(found, AT + timedelta(minutes=2))
    times = {
        0.2: "1 s",
        59.4: "59 s",
        60: "1 min",
        250: "4 min 10 s",
        3600: "1 h",
        3720: "1 h 2 min",
        360000: "4 d 4 h",
    }
    assert {seconds: lasting(seconds) for seconds in times} == times


def test_everybody_can_be_told_by_a_reason():
    assert {who_clears(reason) for reason in Reason} == set(Who)
    assert who_clears("MovedByOthers") is Who.TEAM
    assert who_clears("") is Who.OPERATOR
