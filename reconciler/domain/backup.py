"""Backup sets: how far a dump is proved, and what policy asks of the sets of a service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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

    No schema step goes without `trust`, which is READ_BACK or RESTORED, and no pause begins without a set like that of
    the last `within_hours`. Kept are the newest `keep`, and all of the last `keep_days`; all where neither is said.
    """

    trust: Trust = Trust.READ_BACK
    keep: int | None = None
    keep_days: int | None = None
    within_hours: int | None = None

    @property
    def prunes(self) -> bool:
        """Tell whether older sets are removed at all."""
        return self.keep is not None or self.keep_days is not None


class SetKind(StrEnum):
    """What a backup set is made of."""

    DUMP = "dump"
    HELD_NODE = "held node"  # a node of the database cluster, held back with its data
    DEPLOYMENT = "deployment"  # the one that a cutover replaced, stopped and left as it was
    PRESENT = "present"  # dumps of what was there before a way back took it
    REHEARSAL = "rehearsal"  # dumps that a rehearsal was made with; nothing goes back to them


class Need(StrEnum):
    """Whose way back a backup set is."""

    NONE = ""
    OPEN_LEG = "open leg"
    LAST_LEG = "last leg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One database's part of a set, or the whole where `database` is empty; without a `path` it was absent."""

    host: str
    database: str = ""
    path: str = ""
    bytes: int | None = None
    trust: Trust | None = None
    sha256: str = ""
    manifest: str = ""

    @property
    def absent(self) -> bool:
        """Tell whether there was no such database, which going back makes true again."""
        return bool(self.database) and not self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSet:
    """What a run kept of a service as it was at `release`; going back takes all of it or nothing."""

    service: str
    run: str
    release: str
    kind: SetKind
    made_at: datetime
    copies: tuple[Copy, ...]
    need: Need = Need.NONE
    removed_at: datetime | None = None

    @property
    def trust(self) -> Trust | None:
        """Return how far all of its dumps are proved; None where there is no dump."""
        order = list(Trust)
        return min((each.trust for each in self.copies if each.trust), key=order.index, default=None)

    @property
    def bytes(self) -> int | None:
        """Return the size of its dumps; None where nobody knows one of them."""
        sizes = [each.bytes for each in self.copies if not each.absent]
        return sum(filter(None, sizes)) if sizes and None not in sizes else None
