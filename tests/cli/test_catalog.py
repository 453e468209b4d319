from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Call, conforms


def test_lint_says_that_nothing_is_wrong(call: Call):
    found = call("catalog", "lint")
    assert found.exit_code == 0
    assert found.stdout.startswith("nothing is wrong with ")
    assert conforms("lint", call("catalog", "lint", "-o", "json").stdout)


def test_lint_finds_what_a_site_adds(call: Call, tmp_path: Path):
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog" / "ours.yaml").write_text(
        "service: keystone\nseries: openstack\nrules:\n"
        "  - {id: ours, kind: skew, skew: {service: keystoen}, reason: It lags., source: ticket 4711, verified: run}\n"
    )
    found = call("catalog", "lint", "--site", tmp_path)
    assert found.exit_code == 1
    assert "did you mean keystone" in found.stdout
    text = call("catalog", "lint", "--site", tmp_path / "catalog", "-o", "json").stdout
    said = json.loads(text)
    assert conforms("lint", text)
    assert [(each["check"], each["subject"]) for each in said["findings"]] == [("relation", "ours")]


def test_a_site_that_cannot_be_read_is_said_without_a_traceback(call: Call, tmp_path: Path):
    (tmp_path / "x.yaml").write_text("a: [")
    broken = call("catalog", "lint", "--site", tmp_path)
    assert broken.exit_code == 1
    assert "x.yaml cannot be read" in broken.stderr
    assert "is no folder" in call("catalog", "lint", "--site", tmp_path / "none").stderr
    (tmp_path / "x.yaml").write_text("- a")
    assert "does not hold a mapping" in call("catalog", "lint", "--site", tmp_path).stderr


def test_show_lists_releases_markers_and_every_hop(call: Call):
    text = call("catalog", "show", "glance", "-o", "json").stdout
    said = json.loads(text)
    assert conforms("catalog", text)
    assert len(said["releases"]) == 24
    assert len(said["edges"]) == 24 * 23 // 2
    shown = call("catalog", "show", "glance").stdout
    assert "glance, series openstack" in shown
    assert "pike01" in shown
    lines = [line.split() for line in shown.splitlines()]
    assert ["yoga", "zed", "sequential"] in [line[:3] for line in lines]


def test_show_suggests_a_near_name(call: Call):
    found = call("catalog", "show", "glanse")
    assert found.exit_code == 1
    assert "did you mean glance" in found.stderr


def test_show_tells_what_a_component_asks_of_another(call: Call):
    shown = call("catalog", "show", "nova-compute").stdout
    assert "requires libvirt: nova-compute of pike and later does not start with libvirt older than 1.2.9." in shown
    assert "(before: 1.2.9) [nova-libvirt-pike]" in shown
    assert "oldest beside 2024.1: 2023.1" in shown
