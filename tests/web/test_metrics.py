"""What the daemon exports, on a fleet in memory."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from reconciler.domain.approval import ApprovalPolicy
from reconciler.domain.desired import Quarantine
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from reconciler.web.board import Board
from reconciler.web.metrics import ReportCollector
from tests.scenarios.stage import BROKEN_CONFIG, Stage
from tests.scenarios.test_rehearsal import at_yoga, passes, suspended
from tests.support.sample import desired

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"\breconciler_[a-z_]+")
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def text_of(board: Board) -> str:
    registry = CollectorRegistry()
    registry.register(ReportCollector(board))
    return generate_latest(registry).decode()


def samples(board: Board) -> Samples:
    return {
        (sample.name.removeprefix("reconciler_"), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text_of(board))
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


async def board_of(stage: Stage) -> Board:
    board = Board(stage.clock.now())
    board.put(await stage.pass_once())
    return board


@pytest.fixture
async def advanced() -> Board:
    stage = Stage()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    stage.want(release="2026.1")
    await stage.until(State.IN_SYNC)
    return await board_of(stage)


@pytest.fixture
async def halted() -> Board:
    stage = Stage()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    stage.want(release="2026.1", config=BROKEN_CONFIG)
    await stage.until(State.HALTED)
    return await board_of(stage)


async def test_a_fleet_that_advanced(advanced: Board):
    found = samples(advanced)
    assert value(found, "hop_state", service="keystone", state="in_sync") == 1
    assert value(found, "hop_state", service="keystone", state="halted") == 0
    assert value(found, "hops_total", service="keystone", result="done") == 1
    assert value(found, "canary_runs_total", service="keystone", result="passed") == 1
    assert value(found, "canary_runs_total", service="keystone", result="failed") == 0
    assert value(found, "hosts", service="keystone", state="known") == 3
    assert value(found, "hosts", service="keystone", state="unknown") == 0
    assert value(found, "drift", service="keystone") == 0
    assert value(found, "halts", service="keystone") == 0
    assert value(found, "unknown_outcomes") == 0
    assert value(found, "desired_state_valid") == 1
    assert value(found, "backup_last_success_timestamp_seconds", service="keystone") > 0
    assert value(found, "hop_pause_duration_seconds_count", service="keystone") == 1
    assert value(found, "git_fetches_total", result="ok") == 1
    (info,) = [dict(labels) for name, labels in found if name == "service_info"]
    assert info == {
        "service": "keystone",
        "desired_release": "2026.1",
        "observed_release": "2026.1",
        "ready": "true",
        "suspended": "false",
        "phase": "",
    }
    (schema,) = [dict(labels) for name, labels in found if name == "schema_info"]
    assert schema["database"] == "main"
    assert schema["version"]


async def test_a_canary_that_failed(halted: Board):
    found = samples(halted)
    assert value(found, "hop_state", service="keystone", state="halted") == 1
    assert value(found, "canary_runs_total", service="keystone", result="failed") == 1
    assert value(found, "halts", service="keystone") == 1
    assert value(found, "holds", service="keystone") == 1
    assert value(found, "stalls", service="keystone", kind="waiting-person") == 1
    assert value(found, "stalls", service="keystone", kind="gate-failing") == 0


async def test_a_restart_changes_no_series_of_the_journal():
    stage = Stage()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    stage.want(release="2026.1")
    await stage.until(State.IN_SYNC)
    before = samples(await board_of(stage))
    await stage.kill()
    stage.start()
    await stage.until(State.IN_SYNC)
    after = samples(await board_of(stage))
    of_runs = ("hop", "step", "canary", "backup", "unknown")
    kept = {key: number for key, number in before.items() if key[0].startswith(of_runs)}
    assert kept
    assert kept == {key: number for key, number in after.items() if key[0].startswith(of_runs)}


async def test_before_the_first_report_there_are_series_and_no_alarm():
    stage = Stage()
    found = samples(Board(stage.clock.now()))
    assert value(found, "git_last_success_timestamp_seconds") == stage.clock.now().timestamp()
    assert value(found, "git_fetches_total", result="SourceUnreachable") == 0


async def test_a_store_that_takes_nothing_shows_before_the_first_report_too():
    board = Board(Stage().clock.now())
    assert value(samples(board), "store_writable") == 1
    board.store_problem = "the disk is full"
    assert value(samples(board), "store_writable") == 0


async def test_settings_that_could_not_be_read_anew_show():
    board = Board(Stage().clock.now())
    assert value(samples(board), "settings_valid") == 1
    board.settings_problem = "source.url: a value is missing"
    assert value(samples(board), "settings_valid") == 0


def used_in_rules() -> set[str]:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/rules.yaml").read_text())
    return {name for group in rules["groups"] for rule in group["rules"] for name in NAME.findall(rule["expr"])}


def used_in_dashboards() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "deploy/grafana").glob("*.json"):
        board = json.loads(path.read_text())
        targets = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
        queries = [json.dumps(each) for each in board["templating"]["list"]]
        found |= {name for text in (*targets, *queries) for name in NAME.findall(text)}
    return found


def documented() -> set[str]:
    return set(
        re.findall(r"^\| `(reconciler_[a-z_]+)`", (ROOT / "docs/reference/metrics.md").read_text(), re.MULTILINE)
    )


async def test_every_series_that_somebody_uses_is_exported(advanced: Board, halted: Board):
    exported = {f"reconciler_{name}" for board in (advanced, halted) for name, _ in samples(board)}
    assert used_in_rules() - exported == set()
    assert used_in_dashboards()
    assert used_in_dashboards() - exported == set()


async def test_every_series_is_documented_and_no_other(advanced: Board):
    families = re.findall(r"^# TYPE (reconciler_\S+)", text_of(advanced), re.MULTILINE)
    assert set(families) == documented()


async def test_what_holds_a_service_back_is_shown_by_reason():
    stage = Stage()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    assert [name for name, _ in samples(await board_of(stage)) if name == "held_back"] == []
    away = Quarantine(host="ks3", by="ada", reason="its disk is dying", until=date(2999, 1, 1))
    wanted = replace(desired(release="2026.1"), approvals={"keystone": ApprovalPolicy(leg=1)}, quarantined=(away,))
    stage.fleet.machines["ks3"].running = ""
    stage.commit(wanted)
    await stage.until(State.WAITING, reason=Reason.APPROVAL_MISSING)

    found = samples(await board_of(stage))
    assert value(found, "held_back", service="keystone", reason="ApprovalMissing", gate="approvals") == 1
    assert value(found, "quarantined_hosts", service="keystone") == 1
    assert value(found, "hosts", service="keystone", state="known") == 2


async def test_a_rehearsal_is_shown_and_is_no_hop():
    stage = await at_yoga()
    await suspended(stage)
    stage.journal.ask("rehearse", "keystone", "ada", "before the night")
    await passes(stage)
    found = samples(await board_of(stage))
    assert value(found, "rehearsal", service="keystone", state="passed") == 1
    assert value(found, "rehearsal", service="keystone", state="failed") == 0
    assert value(found, "hops_total", service="keystone", result="done") == 0
