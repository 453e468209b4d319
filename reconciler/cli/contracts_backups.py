"""The JSON contract of `reconciler backups`."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict


class BackupCopy(TypedDict):
    """One database of a set, or the whole of a host; `bytes` is null where nobody knows, `trust` empty for no dump."""

    host: str
    database: str
    path: str
    absent: bool
    bytes: int | None
    trust: Literal["", "written", "checksummed", "read_back", "restored"]
    sha256: str
    manifest: str


class BackupSet(TypedDict):
    """What a run kept of a service; `needed_by` is empty where nobody's way back needs it, `removed_at` while it is."""

    service: str
    run: str
    release: str
    kind: Literal["dump", "held node", "deployment", "present", "rehearsal"]
    trust: Literal["", "written", "checksummed", "read_back", "restored"]
    made_at: str
    bytes: int | None
    needed_by: Literal["", "open leg", "last leg"]
    removed_at: str
    copies: list[BackupCopy]


class Backups(TypedDict):
    """`reconciler backups`, the newest set first."""

    sets: list[BackupSet]
