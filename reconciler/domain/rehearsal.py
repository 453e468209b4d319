"""Rehearsals: under which group their runs stand, and how one went."""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "rehearsal:"
"""What the group of a rehearsal's run begins with; the service's name follows."""


def group_of(service: str) -> str:
    """Return the group under which the journal keeps rehearsals of a service."""
    return f"{PREFIX}{service}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """How the newest rehearsal of a service's next walk went: running, passed or failed; `run` is its id."""

    service: str
    run: str
    state: str
