"""The errors that may cross a room's border; each has a reason code and a hint for the operator."""

from __future__ import annotations


class ReconcilerError(Exception):
    """What happened, why in one code, and what to do about it."""

    def __init__(self, message: str, *, reason: str, hint: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.hint = hint


class SettingsError(ReconcilerError):
    """The daemon's own configuration is wrong."""


class CatalogError(ReconcilerError):
    """A series, release, service or hop rule is unknown or contradicts itself."""


class DesiredStateError(ReconcilerError):
    """The desired state is invalid; the message lists every problem."""


class SourceError(ReconcilerError):
    """The desired-state repository cannot be read or must not be followed."""


class JournalError(ReconcilerError):
    """The journal cannot be written or does not verify; nothing may be started."""


class SecretError(ReconcilerError):
    """A secret named by reference cannot be read on the daemon's machine."""
