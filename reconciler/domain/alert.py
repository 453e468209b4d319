"""What must not be seen in the fleet's metrics while a leg begins."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A query whose every sample is something that fires; for some groups, or for all when there are none.

    `until` says how long it counts: to the beginning of the pause, or at every wave after the canary too. Where
    `present` has no samples, the server knows nothing of what the query asks about, and nobody can tell.
    """

    name: str
    promql: str
    groups: frozenset[str] = frozenset()
    until: str = "pause"  # pause | waves
    present: str = ""
