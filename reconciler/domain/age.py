"""How old a moment is, by a clock that people and time servers set."""

from __future__ import annotations

from datetime import datetime, timedelta


def is_older(moment: datetime, limit: timedelta, now: datetime) -> bool:
    """Tell whether a moment lies further back than a limit; one that lies ahead does: the clock was set back since."""
    return not timedelta() <= now - moment <= limit
