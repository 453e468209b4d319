"""What a testdrive started is found and stopped, also what detached itself; nothing else is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from reconciler.testdrive import processes

SLEEP = ("sleep", "600")


def spawn(mark: Path | None) -> subprocess.Popen[bytes]:
    marked = {processes.MARK: str(mark)} if mark else {}
    return subprocess.Popen(SLEEP, env={"PATH": os.environ["PATH"], **marked}, start_new_session=True)


def test_only_marked_processes_are_stopped(tmp_path):
    ours, others, unmarked = spawn(tmp_path), spawn(tmp_path / "other"), spawn(None)
    try:
        processes.stop(tmp_path)
        assert ours.wait(10) == -15
        assert others.poll() is None
        assert unmarked.poll() is None
    finally:
        for process in (ours, others, unmarked):
            process.kill()
            process.wait()


def test_what_does_not_listen_is_killed(tmp_path):
    deaf = subprocess.Popen(
        ("sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done"),
        env={"PATH": os.environ["PATH"], processes.MARK: str(tmp_path)},
        stdout=subprocess.PIPE,
    )
    assert deaf.stdout is not None
    assert deaf.stdout.readline() == b"deaf\n"
    processes.stop(tmp_path, patience_s=0.5)
    assert deaf.wait(10) == -9
    deaf.stdout.close()
