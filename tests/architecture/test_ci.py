"""What CI runs is what the Makefile offers."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
RUN = ROOT / ".ci" / "run"
STAGES = dict(re.findall(r"([a-z-]+):(\d+)", re.search(r"^STAGES=\((.*)\)$", RUN.read_text(), re.MULTILINE)[1]))
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("target", ["check", "verify", "test", "test-lab", "test-openstack", "testdrive"])
def test_ci_runs_every_target(target):
    assert target in STAGES
    assert target in TARGETS


def test_no_run_of_ci_takes_more_than_90_minutes():
    assert sum(int(minutes) for minutes in STAGES.values()) < 90


@pytest.mark.parametrize("script", [".ci/run", "scripts/debian-packages.sh"])
def test_scripts_parse_and_may_be_run(script):
    path = ROOT / script
    shell = path.read_text().splitlines()[0].removeprefix("#!").split()
    assert path.stat().st_mode & 0o111
    assert subprocess.run([*shell, "-n", path], capture_output=True, check=False).stderr == b""


def test_nothing_is_installed_where_nothing_is_missing():
    done = subprocess.run([ROOT / "scripts" / "debian-packages.sh", "sh=dash"], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_every_fragment_is_of_a_kind_that_the_changelog_knows():
    names = [path.name for path in (ROOT / "changelog.d").glob("*.md")]
    assert [name for name in names if not re.fullmatch(r"[\w-]+\.(feature|bugfix|doc|removal|misc)\.md", name)] == []
