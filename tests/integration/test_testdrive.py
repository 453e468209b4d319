"""The testdrive, whole, as a newcomer starts it: with downloads, on real parts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.openstack, pytest.mark.timeout(1800)]


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for a Unix socket's name."""
    with tempfile.TemporaryDirectory(prefix="td-") as folder:
        yield Path(folder)


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "reconciler", "testdrive", *words]


@pytest.mark.parametrize("engine", ["sqlite", "mariadb"])
def test_keystone_advances_is_stopped_recovers_and_comes_back(engine, short):
    environment = {**os.environ, "TMPDIR": str(short)}
    done = subprocess.run(
        command("--json", "--database", engine), env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [told[name] for name in ("advanced", "halted", "recovered", "rolled_back")] == [True] * 4
    assert told["hops"] == [{"from": "yoga", "to": "2023.1"}, {"from": "2023.1", "to": "2026.1"}]
    assert told["database"] == engine
    assert set(told["seconds"]) >= {"setup", "advance", "halt", "recover", "roll_back"}
    assert list(short.iterdir()) == []


INTERRUPTIBLE = 'trap - INT; exec "$@"'
IN_THE_BACKGROUND = "trap '' INT; exec \"$@\""
"""A shell starts what goes on beside it so that Ctrl-C is for others."""


@pytest.mark.parametrize(
    ("number", "shell"),
    [(signal.SIGINT, INTERRUPTIBLE), (signal.SIGTERM, INTERRUPTIBLE), (signal.SIGTERM, IN_THE_BACKGROUND)],
)
def test_an_interrupted_one_leaves_nothing(number, shell, short):
    environment = {**os.environ, "TMPDIR": str(short)}
    argv = ["sh", "-c", shell, "sh", *command("--database", "sqlite")]
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        said = [line for line in iter(process.stdout.readline, "") if _interrupts_at(line, process, number)]
        assert process.wait(60) == 130
    assert len(said) == 1
    assert list(short.iterdir()) == []
    assert _left(short) == []


def _interrupts_at(line: str, process: subprocess.Popen[str], number: int) -> bool:
    """Send the signal when hosts are at work: their steps have detached themselves."""
    if "Keystone yoga on every host" not in line:
        return False
    process.send_signal(number)
    return True


def _left(folder: Path) -> list[str]:
    lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in lines if str(folder) in line]
