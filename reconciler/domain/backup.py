"""Backup sets: how far a dump is proved, and what policy asks of the sets of a service."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Trust(StrEnum):
    """How far a dump is proved; each level holds what those before it hold."""

    WRITTEN = "written"  # it is there
    CHECKSUMMED = "checksummed"  # its checksum lies beside it
    READ_BACK = "read_back"  # it was read to its end, and has that checksum
    RESTORED = "restored"  # it was restored into a scratch database, and that is the one of its manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupPolicy:
    """What a service's backup sets must be.

    No schema step goes without `trust`, which is READ_BACK or RESTORED.
    """

    trust: Trust = Trust.READ_BACK
