"""What was seen of hosts that git leaves alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """A quarantined host of a service. `runs` is what of the service was seen running there.

    Both are numbers of entries of the journal. `asked` is the newest one when it was asked, whether it answered or not;
    None where it never was. `since` is that by which all of the leg was done that comes before its schema steps: from
    then on an older answer does not count. None before that.
    """

    service: str
    host: str
    runs: tuple[str, ...] = ()
    asked: int | None = None
    since: int | None = None
