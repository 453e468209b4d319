"""A rehearsal: where it is done, and how it went."""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "rehearsal:"
"""What the group of a rehearsal's run begins with; the service's name follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalPolicy:
    """How old, in days, a rehearsal of the same walk may be when a leg begins; 0: none is asked for."""

    within_days: int = 0


def group_of(service: str) -> str:
    """Return the group under which the journal keeps rehearsals of a service."""
    return f"{PREFIX}{service}"
