"""Follows the daemon as an operator does: from outside, by its journal and the status it publishes."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.adapters.journal import JournalReader
from reconciler.domain.chain import START, Place
from reconciler.domain.journal import Entry
from reconciler.domain.run import History
from reconciler.errors import ReconcilerError
from reconciler.planning.history import fold

POLL_S = 0.1
STUCK = frozenset({"Halted", "Blocked", "Suspended"})


class DaemonError(ReconcilerError):
    """The daemon ended, or did not come where it should."""


@dataclass(frozen=True, slots=True)
class View:
    """What the daemon said last: its journal, folded, and its status (as `reconciler status -o json` prints it)."""

    history: History = field(default_factory=History)
    status: Mapping[str, Any] = field(default_factory=dict)

    @property
    def service(self) -> Mapping[str, Any]:
        """Return how the only service stands."""
        services: Sequence[Mapping[str, Any]] = self.status.get("services") or ({},)
        return services[0]

    def stands(self, commit: str, verdicts: frozenset[str]) -> bool:
        """Tell whether the daemon came to one of the verdicts over a commit, and nothing is under way."""
        idle = all(run.ended for run in self.history.runs)
        return idle and self.status.get("revision") == commit and self.service["verdict"] in verdicts


@dataclass(slots=True)
class Follower:
    """Reads on; whoever listens hears of every new entry, with the history up to it."""

    reader: JournalReader
    daemon: subprocess.Popen[bytes]
    heard: Callable[[Entry, History], None]
    view: View = field(default_factory=View)
    seen: Entry | Place = START

    def until(self, commit: str, verdict: str, timeout_s: float = 600.0) -> View:
        """Return what the daemon says when it came to a verdict over a commit.

        Raises:
            DaemonError: it ended, came to a standstill elsewhere, or took too long.
        """
        deadline = time.monotonic() + timeout_s
        while not self._read_on().stands(commit, frozenset({verdict})):
            if self.daemon.poll() is not None:
                raise _error(f"the daemon ended with exit code {self.daemon.returncode}")
            if self.view.stands(commit, STUCK):
                service = self.view.service
                raise _error(f"expected {verdict}, but it is {service['verdict']}: {service['text']}")
            if time.monotonic() > deadline:
                raise _error(f"not {verdict} within {timeout_s:.0f} s: {self.view.service.get('text', 'no status')}")
            time.sleep(POLL_S)
        return self.view

    def _read_on(self) -> View:
        entries = self.reader.read(self.seen)
        history = self.view.history
        for entry in entries:
            history = fold((entry,), history)
            self.heard(entry, history)
        self.seen = entries[-1] if entries else self.seen
        document = self.reader.document("status")
        status = document.body if document is not None and isinstance(document.body, Mapping) else {}
        self.view = View(history, status)
        return self.view


def _error(text: str) -> DaemonError:
    return DaemonError(text, reason="TestdriveFailed", hint="read daemon.log, and the logs of the hosts")
