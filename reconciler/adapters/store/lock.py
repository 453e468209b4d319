"""The lock that keeps a second daemon off the store; the kernel frees it when its holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from reconciler.domain.reasons import TEXTS, Reason
from reconciler.errors import JournalError


class StoreLock:
    """An exclusive flock on the file beside the store, held until `release`.

    A file of its own, because SQLite drops its own locks when anybody closes a descriptor of the store.
    """

    def __init__(self, store: Path, holder: str) -> None:
        """Take the lock; raises JournalError when another process holds it."""
        self._path = store.with_name(store.name + ".lock")
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise JournalError(
                f"{self._path}: {error.strerror}",
                reason=Reason.JOURNAL_UNWRITABLE,
                hint="Check that the folder exists and that the daemon's user may write it.",
            ) from error
        self._lock(store)
        self._sign(holder)

    def release(self) -> None:
        """Give the lock up; a second time does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _lock(self, store: Path) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            other = os.pread(self._descriptor, 200, 0).decode(errors="replace").strip() or "unknown"
            self.release()
            raise JournalError(
                f"another daemon holds the store {store}: {other}",
                reason=Reason.JOURNAL_HELD,
                hint=TEXTS[Reason.JOURNAL_HELD][1],
            ) from error

    def _sign(self, holder: str) -> None:
        """Leave a name for whoever finds the lock taken; the lock holds without it, on a full disk too."""
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{holder}\n".encode(), 0)
        except OSError:
            return
