"""What was seen of hosts that git leaves alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """A quarantined host of a service. `runs` is what of the service was seen running there.

    `at` is when it was asked, whether it answered or not; None where it never was. `since` is when all of the leg was
    done that comes before its schema steps: from then on an older answer does not count. None before that.
    """

    service: str
    host: str
    runs: tuple[str, ...] = ()
    at: datetime | None = None
    since: datetime | None = None
