"""`reconciler events`, from literals and from a daemon's store."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.events import event_of, stall_events, stalls_in
from reconciler.domain.journal import GENESIS, Entry, Kind
from tests.cli.conftest import Call, conforms
from tests.cli.site import Site
from tests.support.sshd import running_sshd

AT = datetime(2026, 1, 2, tzinfo=UTC)


def entry(kind: str, step: str = "", **body: Any) -> Entry:
    return Entry(1, AT, kind, "identity", "r1", step, body, GENESIS, GENESIS)


def stall(kind: str, reason: str) -> dict[str, str]:
    return {"kind": kind, "group": "identity", "reason": reason, "text": "it waits", "owner": "time", "hint": "wait"}


def test_a_failed_step_and_a_halt_are_warnings():
    failed = event_of(entry(Kind.RESULT, "roll.start@ks1", outcome="failed", reason="StepFailed", text="exit code 1"))
    assert failed == {
        "at": "2026-01-02T00:00:00Z",
        "level": "warning",
        "group": "identity",
        "event": "result",
        "text": "roll.start@ks1: failed StepFailed exit code 1",
    }
    halt = event_of(entry(Kind.HALT_RAISED, id="h1", reason="StepFailed", text="no"))
    assert halt is not None
    assert halt["level"] == "warning"


def test_an_intent_is_no_event_and_a_good_result_is_normal():
    assert event_of(entry(Kind.INTENT, "roll.start@ks1", attempt=1, epoch=1)) is None
    done = event_of(entry(Kind.RESULT, "roll.start@ks1", outcome="done"))
    assert done is not None
    assert done["level"] == "normal"


def test_stalls_begin_and_end():
    before = stalls_in({"stalls": [stall("gate-failing", "NoRoute")]})
    after = stalls_in({"stalls": [stall("waiting-person", "Suspended")]})
    found = list(stall_events(before, after, AT))
    assert [(each["event"], each["level"], each["text"]) for each in found] == [
        ("stall_began", "warning", "waiting-person: it waits (time: wait)"),
        ("stall_over", "normal", "gate-failing: it waits"),
    ]
    assert list(stall_events(after, after, AT)) == []


@pytest.fixture
def config(call: Call, tmp_path: Path) -> Iterator[Path]:
    """The settings of a daemon that has passed over a fleet in sync, and whose suspension was asked for."""
    with running_sshd(tmp_path / "sshd") as sshd:
        site = Site(tmp_path, sshd)
        config = site.settings()
        site.want(site.fleet())
        site.trust()
        assert call("suspend", "--why", "a quiet night", "--wait", "0", "-c", config).exit_code == 1  # no store yet
        assert call("run", "--once", "-c", config).exit_code == 0
        assert call("suspend", "--why", "a quiet night", "--wait", "0", "-c", config).exit_code == 0
        call("run", "--once", "-c", config)
        yield config


@pytest.mark.integration
def test_what_happened_is_listed_by_the_contract(call: Call, config: Path):
    found = conforms("events", call("events", "-c", config, "-o", "json").stdout)["events"]
    assert [each["event"] for each in found] == [Kind.REVISION_ACCEPTED, Kind.SUSPENDED]
    assert call("events", "--warnings", "-c", config).stdout == ""
    assert call("events", "keystone", "-c", config).stdout == ""
    assert len(call("events", "-n", "1", "-c", config).stdout.splitlines()) == 1


@pytest.mark.integration
def test_followed_events_are_a_line_each(call: Call, config: Path):
    argv = [sys.executable, "-m", "reconciler", "events", "--follow", "-o", "json", "-n", "1", "-c", str(config)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as follower:
        try:
            assert follower.stdout is not None
            assert json.loads(follower.stdout.readline())["event"] == Kind.SUSPENDED
            assert call("resume", "--wait", "0", "-c", config).exit_code == 0
            call("run", "--once", "-c", config)
            assert json.loads(follower.stdout.readline())["event"] == Kind.RESUMED
        finally:
            follower.send_signal(signal.SIGINT)
        assert follower.wait(timeout=30) == 130
