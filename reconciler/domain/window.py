"""Maintenance windows and freezes: when legs may begin and go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A time that allows or denies: recurring by `cron` for `duration_h` hours, or the days from `first` to `last`.

    Both are in the IANA `zone`. No `groups` means all. With `overrun` a leg that has begun goes on after its end.
    """

    name: str
    effect: str  # allow | deny
    zone: str
    cron: str = ""
    duration_h: float = 0.0
    first: date | None = None
    last: date | None = None
    groups: frozenset[str] = frozenset()
    overrun: bool = False
