"""How long steps took in earlier runs. A note beside plans, never a part of them or of their digest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median

from reconciler.domain.outcome import Done
from reconciler.domain.plan import Step
from reconciler.domain.run import History, Run

Key = tuple[str, str, str]
"""What a step does (its id without the host, which holds service and phase), its hop, and its host or nothing."""


@dataclass(frozen=True, slots=True)
class Durations:
    """Medians in seconds, per host and over all hosts."""

    medians: Mapping[Key, float] = field(default_factory=dict)

    def of(self, step: Step) -> float | None:
        """Return how long a step takes: on this host, else on any; None when it was never measured."""
        what, hop, host = _key(step)
        return self.medians.get((what, hop, host), self.medians.get((what, hop, "")))


def durations_of(history: History) -> Durations:
    """Measure the steps of all runs that ended well, forward and back, over the same hop."""
    samples: dict[Key, list[float]] = {}
    for run in history.runs:
        for step, seconds in _ended(run):
            what, hop, host = _key(step)
            for key in dict.fromkeys(((what, hop, host), (what, hop, ""))):
                samples.setdefault(key, []).append(seconds)
    return Durations({key: median(values) for key, values in samples.items()})


def _ended(run: Run) -> Iterator[tuple[Step, float]]:
    for step in {step.id: step for step in (*run.plan.steps, *(run.back or ()))}.values():
        for attempt in run.attempts.get(step.id, ()):
            if attempt.ended_at is not None and isinstance(attempt.outcome, Done):
                yield step, (attempt.ended_at - attempt.at).total_seconds()


def _key(step: Step) -> Key:
    return step.id.partition("@")[0], step.hop, step.host
