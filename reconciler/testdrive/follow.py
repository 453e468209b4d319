"""Follows the daemon as an operator does: from outside, by its journal."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from reconciler.adapters.journal import JournalReader, SqlJournal
from reconciler.domain.journal import Entry
from reconciler.domain.run import History, Run
from reconciler.errors import ReconcilerError
from reconciler.planning.history import fold
from reconciler.testdrive.site import Site

POLL_S = 0.1


class DaemonError(ReconcilerError):
    """The daemon ended, or did not come where it should in time."""


@dataclass(slots=True)
class Follower:
    """Reads on in the journal; whoever listens hears of every new entry, with the history up to it."""

    site: Site
    daemon: subprocess.Popen[bytes]
    heard: Callable[[Entry, History], None]
    history: History = field(default_factory=History)
    seen: int = 0
    reader: JournalReader = field(init=False)

    def __post_init__(self) -> None:
        """Open the journal beside the daemon."""
        self.reader = SqlJournal.reader(self.site.journal_url)

    def until(self, holds: Callable[[History], bool], what: str, timeout_s: float) -> History:
        """Return when the journal tells what is waited for.

        Raises:
            DaemonError: the daemon ended before, or it took too long.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            self._read_on()
            if holds(self.history):
                return self.history
            if self.daemon.poll() is not None:
                raise self._error(f"the daemon ended with exit code {self.daemon.returncode} while it should {what}")
            if time.monotonic() > deadline:
                raise self._error(f"the daemon did not {what} within {timeout_s:.0f} s{self._stands()}")
            time.sleep(POLL_S)

    def _read_on(self) -> None:
        entries = self.reader.read()
        for entry in entries[self.seen :]:
            self.history = fold((entry,), self.history)
            self.heard(entry, self.history)
        self.seen = len(entries)

    def _stands(self) -> str:
        halts = "; ".join(halt.text for halt in self.history.halts)
        return f"; it halted: {halts}" if halts else ""

    def _error(self, text: str) -> DaemonError:
        return DaemonError(text, reason="TestdriveFailed", hint=f"read {self.site.root}/daemon.log")


def last_run(history: History) -> Run | None:
    """Return the newest run."""
    return history.runs[-1] if history.runs else None
