"""How long steps take, by the newest runs that did them. A note beside plans, no part of them or of their digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from reconciler.domain.plan import Step
from reconciler.domain.run import History
from reconciler.planning.sums import Key, keys, sums_of


@dataclass(frozen=True, slots=True)
class Durations:
    """Medians in seconds, per host and over all hosts."""

    medians: Mapping[Key, float] = field(default_factory=dict)

    def of(self, step: Step) -> float | None:
        """Return how long a step takes: on this host, else on any; None when it was never measured."""
        return next((self.medians[key] for key in keys(step) if key in self.medians), None)


def durations_of(history: History) -> Durations:
    """Measure the steps that ended well in all runs, forward and back, over the same hop; the newest of each count."""
    measured = sums_of(history).durations
    return Durations({key: median(seconds for _, seconds in values) for key, values in measured.items()})
