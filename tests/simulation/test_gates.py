"""The gatekeeper of the simulator can fail: each doctored history does what git or people did not allow then."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from reconciler.domain.alert import Alert
from reconciler.domain.approval import Approval, ApprovalPolicy
from reconciler.domain.backup import BackupPolicy
from reconciler.domain.desired import Canary, Desired, HaltPolicy, Percent, Quarantine
from reconciler.domain.journal import Draft, Entry, Kind
from reconciler.domain.window import Window
from tests.fakes.clock import START
from tests.simulation.gates import Heard, trespasses
from tests.support.sample import desired

FREE = desired()


def step(phase: str, name: str, host: str, state: str = "", **changes: Any) -> dict[str, Any]:
    kind = "units" if state else name
    found = {"id": f"{phase}.{name}@{host}", "kind": kind, "phase": phase, "service": "keystone", "host": host}
    return {**found, "args": {"state": state}, "wave": None, "leads": "", **changes}


PREPARE = step("prepare", "prepare", "ks1")
DUMP = step("prepare", "backup", "ks1")
SYNC = step("migrate", "schema_sync", "ks1")
STOP_1, STOP_2 = (step("roll", "stop", f"ks{n + 1}", "stopped", wave=n) for n in (0, 1))
START_1, START_2 = (step("roll", "start", f"ks{n + 1}", "started", wave=n) for n in (0, 1))
FINISH = step("finish", "give_up", "ks1")
STEPS = [PREPARE, DUMP, SYNC, STOP_1, START_1, STOP_2, START_2, FINISH]

Told = tuple[float, Draft]
"""An entry, and when it was written: so many seconds after the start."""


def pinned(direction: str = "forward", run: str = "r1", group: str = "keystone") -> Draft:
    plan = {"id": "p1", "direction": direction, "inherits": "", "steps": STEPS}
    return Draft(Kind.PLAN_PINNED, group, run, body={"plan": plan})


def intent(at: float, of: dict[str, Any]) -> Told:
    return at, Draft(Kind.INTENT, "keystone", "r1", of["id"], {"attempt": 1, "epoch": 2})


def done(at: float, of: dict[str, Any]) -> tuple[Told, Told]:
    body = {"attempt": 1, "outcome": "done", "values": {"trust": "read_back"} if of is DUMP else {}}
    return intent(at, of), (at + 1, Draft(Kind.RESULT, "keystone", "r1", of["id"], body))


def found(wanted: Desired, *told: Told, direction: str = "forward", heard: tuple[Heard, ...] = ()) -> list[str]:
    """Judge a history that begins with a commit and a plan."""
    drafts = [(0, Draft(Kind.REVISION_ACCEPTED, body={"revision": "c1"})), (0, pinned(direction)), *told]
    entries = [
        Entry(n, START + timedelta(seconds=at), each.kind, each.group, each.run, each.step, each.body, "", "")
        for n, (at, each) in enumerate(drafts)
    ]
    return list(trespasses(entries, {"c1": wanted}, heard))


def yes(by: str, wave: int | None = None, plan: str = "p1") -> Told:
    return 0, Draft(Kind.APPROVED, "keystone", "r1", body={"plan": plan, "wave": wave, "by": by})


def halted(group: str) -> Told:
    return 0, Draft(Kind.HALT_RAISED, group, "r0", body={"id": "h1"})


def answer(second: float, *, quiet: bool, epoch: int = 2) -> Heard:
    return Heard(epoch, START + timedelta(seconds=second), "errors > 0", quiet)


def windowed(*windows: Window) -> Desired:
    return replace(FREE, windows=windows)


TODAY = START.date()
HOURLY = Window(name="w", effect="allow", zone="UTC", cron=f"{START.minute} * * * *", duration_h=1 / 60)
FREEZE = Window(name="f", effect="deny", zone="UTC", first=TODAY, last=TODAY)
ONE = replace(FREE, approvals={"keystone": ApprovalPolicy(leg=1, by=("ada", "bob"))})
EACH = replace(FREE, approvals={"keystone": ApprovalPolicy(waves=2)})
ALERTS = replace(FREE, alerts=(Alert(name="errors", promql="errors > 0", until="waves"),))
YOUNG = replace(FREE, backups={"keystone": BackupPolicy(within_hours=1)})
ALL_STOP = replace(FREE, halts={"other": HaltPolicy(scope="fleet")})
SOAK = desired(canary=Canary(soak_s=60))
GONE = (Quarantine(host="ks3", by="ada", reason="it died", until=date(2999, 1, 1)),)


def spared(limit: Any, **changes: Any) -> Desired:
    return replace(desired(max_unavailable=limit), **changes)


@pytest.mark.parametrize(
    ("wanted", "told", "said"),
    [
        (windowed(HOURLY), [intent(61, STOP_1)], "outside its windows"),
        (windowed(FREEZE), [intent(1, PREPARE)], "in a freeze"),
        (ONE, [intent(1, STOP_1)], "yes of nobody"),
        (ONE, [yes("eve"), yes("ada", plan="p2"), yes("ada", wave=1), intent(1, STOP_1)], "yes of nobody"),
        (EACH, [yes("ada", 1), yes("ada", 1), *done(1, STOP_1), intent(3, STOP_2)], "yes of ['ada'] alone, and 2"),
        (ALERTS, [intent(1, STOP_1)], "nobody could tell that errors was quiet"),
        (YOUNG, [intent(1, STOP_1)], "without a backup of keystone"),
        (YOUNG, [*done(1, DUMP), intent(3700, STOP_1)], "without a backup of keystone"),
        (ALL_STOP, [halted("other"), intent(1, PREPARE)], "stopped the fleet"),
        (spared(1), [*done(1, STOP_1), intent(3, STOP_2)], "['ks1'] were out of work, and 1 may be"),
        (spared("quorum", quarantined=GONE), [intent(1, STOP_1)], "['ks3'] were out of work, and 1 may be"),
        (SOAK, [*done(1, STOP_1), *done(2, START_1), intent(30, STOP_2)], "ks1 had run for its soak of 60 s"),
    ],
)
def test_the_gatekeeper_sees_what_was_not_allowed(wanted, told, said):
    judged = found(wanted, *told)

    assert any(said in each for each in judged), judged


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (windowed(HOURLY), [intent(59, STOP_1), intent(61, PREPARE), intent(3601, STOP_2), intent(61, FINISH)]),
        (windowed(FREEZE), [intent(1, FINISH), intent(86400, STOP_1)]),
        (ONE, [intent(1, PREPARE), yes("bob"), intent(1, STOP_1), intent(1, STOP_2)]),
        (replace(ONE, approved=(Approval(plan="p1", by="ada", why="", until=TODAY),)), [intent(1, STOP_1)]),
        (EACH, [*done(1, STOP_1), yes("ada", 1), yes("bob", 1), intent(3, STOP_2)]),
        (YOUNG, [*done(1, DUMP), intent(3000, STOP_1)]),
        (ALL_STOP, [halted("keystone"), intent(1, STOP_1)]),
        (spared(1), [*done(1, STOP_1), *done(3, START_1), intent(5, STOP_2)]),
        (spared(Percent(70)), [*done(1, STOP_1), intent(3, STOP_2)]),
        (SOAK, [*done(1, STOP_1), *done(2, START_1), intent(64, STOP_2)]),
    ],
)
def test_the_gatekeeper_lets_through_what_was_allowed(wanted, told):
    assert found(wanted, *told) == []


def test_what_goes_back_asks_nobody():
    every = replace(ONE, windows=(FREEZE,), alerts=ALERTS.alerts)

    assert found(every, intent(1, STOP_1), direction="back") == []


@pytest.mark.parametrize(
    ("heard", "lets"),
    [
        ((answer(0, quiet=True),), True),
        ((answer(0, quiet=True), answer(15, quiet=False)), True),  # a pass may not have heard of the newest one
        ((answer(0, quiet=True), answer(15, quiet=False), answer(30, quiet=False)), False),
        ((answer(-900, quiet=True),), False),
        ((answer(0, quiet=True, epoch=1),), False),
    ],
)
def test_an_alert_is_quiet_when_the_daemon_that_begins_was_told_so(heard, lets):
    judged = found(ALERTS, intent(40, STOP_1), heard=heard)

    assert (judged == []) is lets, judged
