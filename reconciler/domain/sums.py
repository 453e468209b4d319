"""What runs came to, for when they themselves are sealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Measured = tuple[float, float]
"""When a step ended, in seconds since 1970, and how many seconds it took."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over runs.

    `counts` are by name and labels, for the metrics; `durations` the newest of each step, hop and host (or nothing, for
    any); `backups` says when a backup of a service was last read back, in seconds since 1970.
    """

    counts: Mapping[tuple[str, ...], float] = field(default_factory=dict)
    durations: Mapping[tuple[str, str, str], tuple[Measured, ...]] = field(default_factory=dict)
    backups: Mapping[str, float] = field(default_factory=dict)


NOTHING = Sums()
