"""The operating system reports an error at a boundary, or under the store: nothing is lost, and nothing done twice."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.cases import Case, case, few, same
from tests.faults.ground import PATIENCE_S, End, Ground
from tests.integration.daemon.daemon import Daemon

SOME = {
    "intent.after 1 eio",
    "intent.before 1 enospc",
    "result.after 1 enospc",
    "start.after 1 eio",
    "fetch.after 1 eio",
}
CALLS = {"start", "look", "fetch"}
ASKED = [(f"{name}.{side}", n) for name, n in (("fetch", 1), ("look", 2)) for side in ("before", "after")]
"""Every leg gets there, however quick everything is."""


def errors(found: list[tuple[str, int]], *, full: bool) -> list[Case]:
    """List the cases: at entries of the journal and at calls that a leg reaches, once it was done and before."""
    every = [each for each in [*few(found), *ASKED] if not each[0].startswith("lease")]
    cases = [(name, count, error) for name, count in every for error in ("eio", "enospc")]
    return [failed_at(*each) for each in cases if full or f"{each[0]} {each[1]} {each[2]}" in SOME]


def failed_at(name: str, count: int, error: str) -> Case:
    """Let a boundary fail: the daemon goes on by itself; where nobody knows what the disk holds, the next one does."""
    ends = error == "eio" and name.partition(".")[0] not in CALLS

    def run(ground: Ground, undisturbed: End) -> None:
        daemon = ground.daemon(f"{name}:{count}:{error}")
        if ends:
            ended_by_the_disk(daemon)
        ground.in_sync(None if ends else daemon)
        assert "Traceback" not in daemon.log
        same(ground, undisturbed)

    return Case(f"failed-at {name} {count} {error}", run)


def ended_by_the_disk(daemon: Daemon) -> None:
    """Hold that the daemon ended by itself and said why, and what to do."""
    assert daemon.process.wait(PATIENCE_S) == 1, daemon.log
    for said in ("the disk failed", "Check the disk and its file system, then start the daemon"):
        assert said in daemon.log, daemon.log
    assert "Traceback" not in daemon.log, daemon.log


@case
def sync_to_the_disk_fails(ground: Ground, undisturbed: End) -> None:
    """The kernel itself says so: a second try would be told that all is well, of pages that are lost."""
    daemon, syncs = ground.in_mid_migration(), []
    with _failing_syncs(daemon, syncs):
        ground.site.hold.unlink()
        ended_by_the_disk(daemon)
    assert len(syncs) == 1, syncs
    assert "EIO" in syncs[0], syncs
    ground.in_sync()
    same(ground, undisturbed)


@contextmanager
def _failing_syncs(daemon: Daemon, syncs: list[str]) -> Iterator[None]:
    """Let every sync of a daemon fail from now on, and write them down."""
    with tempfile.NamedTemporaryFile() as trace:
        what = ("-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO", "-o", trace.name)
        argv = ["strace", "-f", *what, "-p", str(daemon.process.pid)]
        with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as strace:
            assert strace.stderr is not None
            assert "attached" in strace.stderr.readline()
            try:
                yield
            finally:
                daemon.kill()
                strace.communicate(timeout=PATIENCE_S)
        syncs += [line for line in Path(trace.name).read_text().splitlines() if "sync(" in line]
