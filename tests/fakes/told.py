"""How a fake that did what it was asked tells of it; the journal has modes of its own, `Fault`."""

from __future__ import annotations

from enum import Enum, auto


class Told(Enum):
    """Done in any case: what is told of it may be wrong, missing or late."""

    TRULY = auto()
    AS_FAILED = auto()
    AS_UNKNOWN = auto()
    LATE = auto()
