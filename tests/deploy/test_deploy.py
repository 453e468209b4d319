"""What is shipped beside the program holds together."""

from __future__ import annotations

import configparser
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
RULES = yaml.safe_load((DEPLOY / "prometheus/rules.yaml").read_text())["groups"][0]["rules"]
SECTIONS = re.findall(r"^## (\w+)$", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE)

HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectControlGroups": "yes",
    "ProtectClock": "yes",
    "ProtectHostname": "yes",
    "ProtectProc": "invisible",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    "CapabilityBoundingSet": "",
    "SystemCallArchitectures": "native",
    "LimitCORE": "0",
}


UNITS = ("reconciler", "reconciler-web")


def unit_lines(name: str = "reconciler") -> list[tuple[str, str]]:
    text = (DEPLOY / f"systemd/{name}.service").read_text()
    return [
        (key, value)
        for line in text.splitlines()
        if "=" in line and line[0] != "#"
        for key, value in [line.split("=", 1)]
    ]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_is_complete_and_has_a_page(rule):
    name = rule["alert"]

    assert re.fullmatch(r"Reconciler[A-Z]\w+", name)
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert "{{" not in rule["annotations"]["summary"]
    assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"
    assert "for" in rule


def test_the_runbook_and_the_rules_name_the_same_alerts():
    assert [rule["alert"] for rule in RULES] == SECTIONS


def test_every_alert_is_seen_firing_and_silent_in_the_rule_tests():
    tests = yaml.safe_load((DEPLOY / "prometheus/rules_test.yaml").read_text())["tests"]
    seen = {(case["alertname"], bool(case["exp_alerts"])) for test in tests for case in test["alert_rule_test"]}

    assert seen == {(name, firing) for name in SECTIONS for firing in (True, False)}


@pytest.mark.parametrize("name", UNITS)
def test_units_are_hardened(name):
    given = dict(unit_lines(name))

    assert {key: given.get(key) for key in HARDENED} == HARDENED


def test_a_daemon_that_hangs_dies_or_is_told_of_new_settings_begins_anew_and_not_for_ever():
    given = dict(unit_lines())
    kept = ("Type", "Restart", "StartLimitBurst", "StartLimitIntervalSec", "WatchdogSec", "ExecReload", "KillMode")
    assert [given[key] for key in kept] == [
        "notify",
        "on-failure",
        "5",
        "600",
        "300",
        "/bin/kill -HUP $MAINPID",
        "mixed",
    ]


def test_the_unit_shows_the_credentials_that_the_example_reads():
    shown = {value.split(":")[0] for key, value in unit_lines() if key == "LoadCredential"}
    example = tomllib.loads((DEPLOY / "reconciler.toml").read_text())
    read = [example["source"]["ssh_key"], *example["ssh"]["keys"]]

    assert {f"credential:{name}" for name in shown} == set(read)


def test_what_serves_the_network_can_read_nothing_and_asks_where_the_daemon_answers():
    given = dict(unit_lines("reconciler-web"))
    example = tomllib.loads((DEPLOY / "reconciler.toml").read_text())
    runtime = dict(unit_lines())["RuntimeDirectory"]

    assert given["DynamicUser"] == "yes"
    assert given["InaccessiblePaths"].split() == ["-/etc/reconciler", "-/var/lib/reconciler", "-/run/credentials"]
    assert not any(key in {"LoadCredential", "Environment", "User", "SupplementaryGroups"} for key in given)
    assert f"--socket {example['web']['socket']}" in given["ExecStart"]
    assert example["web"]["socket"].startswith(f"/run/{runtime}/")


@pytest.mark.parametrize("name", UNITS)
def test_the_unit_parses(name):
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(DEPLOY / f"systemd/{name}.service")

    assert parser.sections() == ["Unit", "Service", "Install"]
