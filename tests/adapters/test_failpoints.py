"""Failpoints: what arms them, what they reach, and that every one of them is a boundary of the code."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.adapters.failpoints import NAMES, VARIABLE, Failpoint, armed
from reconciler.domain.journal import Draft, Kind
from reconciler.domain.reasons import Reason
from reconciler.errors import JournalError, SettingsError
from reconciler.ports import Ports
from tests.fakes.clock import VirtualClock
from tests.fakes.journal import MemoryJournal, Store
from tests.scenarios.stage import Stage

PROGRAM = """
import os
from reconciler.adapters.failpoints import armed
failpoint = armed(os.environ)
for turn in range(3):
    failpoint.reach("intent.before")
    print(turn, flush=True)
"""


def told(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env={VARIABLE: text}, capture_output=True, text=True, check=False
    )


def test_nothing_is_armed_by_default():
    ports = Stage().ports()
    assert armed({}).around(ports) is ports


def test_a_process_is_killed_at_the_turn_that_is_named():
    ended = told("intent.before:2")
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, "0\n")


def test_all_that_is_reached_is_written_down(tmp_path: Path):
    told(f"trace:{tmp_path / 'trace'}")
    assert (tmp_path / "trace").read_text().splitlines() == ["intent.before"] * 3


@pytest.mark.parametrize(
    "text", ["intent", "intent.before:x", "intent.before:0", "intent.before:1:explode", "nowhere.after"]
)
def test_a_boundary_that_is_not_there_is_refused(text: str):
    with pytest.raises(SettingsError, match="there is no failpoint"):
        armed({VARIABLE: text})


def test_every_kind_of_entry_is_a_boundary():
    kinds = {value for name, value in vars(Kind).items() if name.isupper()}
    assert {name.partition(".")[0] for name in NAMES} >= kinds


async def test_a_journey_reaches_its_boundaries(tmp_path: Path):
    failpoint = Failpoint(trace=tmp_path / "trace")

    class Watched(Stage):
        def ports(self) -> Ports:
            return failpoint.around(super().ports())

    stage = Watched()
    stage.want(release="yoga")
    for _ in range(10):
        await stage.step()
    stage.want(release="2026.1")
    for _ in range(120):
        await stage.step()
    reached = set((tmp_path / "trace").read_text().split())
    for what in ("revision_accepted", "plan_pinned", "intent", "result", "run_ended", "start", "look"):
        assert {f"{what}.before", f"{what}.after"} <= reached
    assert reached <= set(NAMES)


def test_the_journal_behind_it_is_the_journal(tmp_path: Path):
    journal = MemoryJournal(VirtualClock(), Store.empty())
    stage = Stage()
    stage.journal = journal
    ports = Failpoint(trace=tmp_path / "trace").around(stage.ports())
    assert ports.journal.epoch == journal.epoch
    assert ports.journal.read() == journal.read()


def test_what_a_command_writes_is_reached_by_its_kind(tmp_path: Path):
    journal = MemoryJournal(VirtualClock(), Store.empty())
    stage = Stage()
    stage.journal = journal
    ports = Failpoint(trace=tmp_path / "trace").around(stage.ports())
    journal.ask("suspend", "", "ada", "why not")
    ports.journal.answer(journal.commands()[0], [Draft(Kind.SUSPENDED)], "suspended")
    reached = ["answer.before", "suspended.before", "suspended.after", "answer.after"]
    assert (tmp_path / "trace").read_text().split() == reached


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize(
    ("action", "reason"), [("eio", Reason.JOURNAL_DISK_FAILED), ("enospc", Reason.JOURNAL_UNWRITABLE)]
)
def test_an_error_under_the_journal_is_what_the_store_makes_of_it(side: str, action: str, reason: Reason):
    journal = MemoryJournal(VirtualClock(), Store.empty())
    stage = Stage()
    stage.journal = journal
    ports = armed({VARIABLE: f"suspended.{side}:1:{action}"}).around(stage.ports())
    with pytest.raises(JournalError) as caught:
        ports.journal.append([Draft(Kind.SUSPENDED)])
    assert caught.value.reason == reason
    assert len(journal.read()) == (0 if side == "before" else 1)
    ports.journal.append([Draft(Kind.RESUMED)])


async def test_any_other_boundary_fails_as_the_operating_system_does():
    ports = armed({VARIABLE: "fetch.before:1:eio"}).around(Stage().ports())
    with pytest.raises(OSError, match="Input/output error"):
        await ports.source.latest("")
