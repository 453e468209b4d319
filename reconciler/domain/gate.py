"""What a gate says that lets nothing through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Holds(StrEnum):
    """What a closed gate holds back, the most first."""

    EVERYTHING = "everything"  # but what finishes
    SERVING = "serving"  # what touches what serves: preflight and prepare may go on
    SCHEMA = "schema"  # steps of the phase migrate, and restores going back, and what comes after them


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Why nothing may begin or go on; `until` is when time clears it, None when time alone does not."""

    gate: str
    reason: str
    text: str
    hint: str
    until: datetime | None = None
    holds: Holds = Holds.EVERYTHING
