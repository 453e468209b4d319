"""The processes of a testdrive: started in sessions of their own, and found again by a mark in their environment."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

MARK = "RECONCILER_TESTDRIVE"
PATIENCE_S = 20.0


def mark(root: Path) -> None:
    """Let whatever this process starts from now on be found by `stop`."""
    os.environ[MARK] = str(root)


def start(argv: tuple[str, ...], log: Path) -> subprocess.Popen[bytes]:
    """Start a process that Ctrl-C does not reach; what it says goes to `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd=log.parent
        )


def stop(root: Path, patience_s: float = PATIENCE_S) -> None:
    """Stop all processes of a testdrive, those that hosts detached among them; what does not end is killed."""
    deadline = time.monotonic() + patience_s
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in _marked(root):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        while any(_marked(root)) and time.monotonic() < deadline:
            time.sleep(0.05)


def remove(root: Path) -> None:
    """Remove the folder of a testdrive."""
    shutil.rmtree(root, ignore_errors=True)


def wait_for(holds: Callable[[], bool], timeout_s: float) -> bool:
    """Tell whether something came true in time."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _marked(root: Path) -> Iterator[int]:
    """Yield the living processes of a testdrive but for ourselves."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            with suppress(OSError):
                if _is_ours(process, root):
                    yield int(process.name)


def _is_ours(process: Path, root: Path) -> bool:
    """Look for the mark; sshd writes its title over its environment, and the title names its configuration."""
    if f"{MARK}={root}".encode() in (process / "environ").read_bytes().split(b"\0"):
        return True
    title = (process / "cmdline").read_bytes()
    return title.startswith(b"sshd:") and f"{root}/".encode() in title
