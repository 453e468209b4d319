"""What people say yes to: a plan's leg, or one of its waves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Somebody's yes to a plan, by its id: to its leg, or with `wave` to that wave.

    One by command is to a `run` of it; one in git is to every run, for as long as it stands there, and to the end of
    the day `until`, UTC, at most.
    """

    plan: str
    by: str
    why: str
    wave: int | None = None
    run: str = ""
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPolicy:
    """How many different people must say yes before a leg touches what serves, and before each wave after the canary.

    `by` are those whose yes counts; empty: anybody's.
    """

    leg: int = 0
    waves: int = 0
    by: tuple[str, ...] = ()
