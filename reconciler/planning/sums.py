"""Sums up runs, so that estimates and metrics outlive them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler.domain.outcome import Done, Failed, Lost
from reconciler.domain.plan import Json, Step
from reconciler.domain.procedure import Phase
from reconciler.domain.run import Attempt, History, Run
from reconciler.domain.sums import Measured, Sums

STEP_BUCKETS = (0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600)
RUN_BUCKETS = (10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400)

NEWEST = 9
"""How many durations of a step are kept: older ones tell less of the fleet of today."""

Key = tuple[str, str, str]
"""What a step does (its id without the host, which holds service and phase), its hop, and its host or nothing."""


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt at a step that has ended."""

    step: Step
    attempt: Attempt
    at: datetime

    @property
    def seconds(self) -> float:
        """Return how long it took."""
        return (self.at - self.attempt.at).total_seconds()

    @property
    def done(self) -> bool:
        """Tell whether it ended well."""
        return isinstance(self.attempt.outcome, Done)


def ended(run: Run) -> Iterator[Ended]:
    """Yield the ended attempts of a run, forward and back."""
    for step in {step.id: step for step in (*run.plan.steps, *(run.back or ()))}.values():
        for attempt in run.attempts.get(step.id, ()):
            if attempt.ended_at is not None:
                yield Ended(step, attempt, attempt.ended_at)


def sums_of(history: History, only: Iterable[Run] | None = None) -> Sums:
    """Sum up all runs, or `only` these, on top of those that were sealed."""
    counts = dict(history.sums.counts)
    measured = {key: list(values) for key, values in history.sums.durations.items()}
    backups = dict(history.sums.backups)
    for run in history.runs if only is None else only:
        for name in _counted(run):
            counts[name] = counts.get(name, 0) + 1
        for name, seconds in _seconds(run):
            counts[name] = counts.get(name, 0) + seconds
        for each in ended(run):
            if each.done:
                for key in keys(each.step):
                    measured.setdefault(key, []).append((each.at.timestamp(), each.seconds))
            if each.done and each.step.phase is Phase.BACKUP and run.plan.direction != "rehearse":
                backups[each.step.service] = max(backups.get(each.step.service, 0), each.at.timestamp())
    newest = {key: tuple(sorted(values)[-NEWEST:]) for key, values in measured.items()}
    return Sums(counts=counts, durations=newest, backups=backups)


def keys(step: Step) -> tuple[Key, ...]:
    """Return under what the duration of a step counts: on its host, and on any."""
    what = step.id.partition("@")[0]
    return tuple(dict.fromkeys(((what, step.hop, step.host), (what, step.hop, ""))))


def canary_result(run: Run) -> str:
    """Say how the canary of a run went: passed, failed, or nothing yet; a refresh has one too."""
    if run.plan.direction == "back":
        return ""
    canary = [step for step in run.plan.steps if step.of_canary]
    attempts = [attempt for step in canary for attempt in run.attempts.get(step.id, ())]
    if any(isinstance(attempt.outcome, Failed | Lost) for attempt in attempts):
        return "failed"
    return "passed" if canary and all(run.done(step.id) for step in canary) else ""


def histogram(sums: Sums, name: str, label: str, bounds: Sequence[float]) -> tuple[list[tuple[str, float]], float]:
    """Return the cumulative buckets of a histogram and the sum of its values."""
    of = {key[2]: count for key, count in sums.counts.items() if key[:2] == (name, label)}
    total = of.pop("sum", 0.0)
    limits = [*map(float, bounds), float("inf")]
    counted = [sum(count for bound, count in of.items() if float(bound) <= limit) for limit in limits]
    names = [*(str(float(bound)) for bound in bounds), "+Inf"]
    return list(zip(names, counted, strict=True)), total


def _counted(run: Run) -> Iterator[tuple[str, ...]]:
    """Yield what a run adds one to."""
    yield "runs", run.group, run.ended
    yield "canaries", run.group, canary_result(run)
    for name, label, seconds, bounds in _lengths(run):
        yield name, label, next((str(float(bound)) for bound in bounds if seconds <= bound), "+Inf")


def _seconds(run: Run) -> Iterator[tuple[tuple[str, ...], float]]:
    for name, label, seconds, _ in _lengths(run):
        yield (name, label, "sum"), seconds


def _lengths(run: Run) -> Iterator[tuple[str, str, float, Sequence[float]]]:
    """Yield how long a run, its pause and its steps took."""
    if run.ended_at is not None:
        yield "whole", run.group, (run.ended_at - run.started_at).total_seconds(), RUN_BUCKETS
    pause = _pause(run)
    if pause is not None:
        yield "pause", run.group, pause, RUN_BUCKETS
    for each in ended(run):
        yield "step", each.step.kind, each.seconds, STEP_BUCKETS


def _pause(run: Run) -> float | None:
    """Return for how long a finished run kept its service from working; None when it stopped nothing beforehand."""
    stops = [each.attempt.at for each in ended(run) if each.step.phase is Phase.QUIESCE]
    starts = [each.at for each in ended(run) if each.step.phase in {Phase.ROLL, Phase.BACK_OUT}]
    return (max(starts) - min(stops)).total_seconds() if run.ended and stops and starts else None


def sums_to_json(sums: Sums) -> dict[str, Json]:
    """Render sums."""
    return {
        "counts": [[*key, count] for key, count in sorted(sums.counts.items())],
        "durations": [[*key, [list(each) for each in values]] for key, values in sorted(sums.durations.items())],
        "backups": dict(sums.backups),
    }


def sums_from_json(data: Mapping[str, Any]) -> Sums:
    """Read what `sums_to_json` wrote."""
    return Sums(
        counts={tuple(key): count for *key, count in data["counts"]},
        durations={(what, hop, host): _measured(values) for what, hop, host, values in data["durations"]},
        backups=dict(data["backups"]),
    )


def _measured(values: Sequence[Sequence[float]]) -> tuple[Measured, ...]:
    return tuple((at, seconds) for at, seconds in values)
