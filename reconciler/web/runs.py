"""Series about runs: hops, canaries, steps, backups. All come from the journal, so that a restart changes none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from reconciler.domain.desired import Desired
from reconciler.domain.outcome import Done, Failed, Lost
from reconciler.domain.plan import Step
from reconciler.domain.procedure import Phase
from reconciler.domain.run import Attempt, History, Run
from reconciler.planning.scene import groups_of

RESULTS = ("done", "backed_out", "dropped")
STEP_BUCKETS = (0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600)
RUN_BUCKETS = (10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400)
PAUSE = (Phase.QUIESCE, Phase.ROLL)


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


def run_series(history: History, desired: Desired) -> Iterator[Metric]:
    """Return the series about runs for the services of today."""
    groups = {name: group for group, names in groups_of(desired).items() for name in names}
    of = {name: [run for run in history.runs if run.group == group] for name, group in groups.items()}
    yield from _moments(of)
    yield from _counts(of)
    yield from _durations(of, history)
    lost = sum(isinstance(last.outcome, Lost) for run in history.runs if not run.ended for last in _newest(run))
    yield GaugeMetricFamily("reconciler_unknown_outcomes", "Steps of which nobody can tell how they ended.", value=lost)


def ended(run: Run) -> Iterator[Ended]:
    """Yield the ended attempts of a run, forward and back."""
    for step in {step.id: step for step in (*run.plan.steps, *(run.back or ()))}.values():
        for attempt in run.attempts.get(step.id, ()):
            if attempt.ended_at is not None:
                yield Ended(step, attempt, attempt.ended_at)


def canary_result(run: Run) -> str:
    """Say how the canary of a run went: passed, failed, or nothing yet; a refresh has one too."""
    if run.plan.direction == "back":
        return ""
    canary = [step for step in run.plan.steps if step.of_canary]
    attempts = [attempt for step in canary for attempt in run.attempts.get(step.id, ())]
    if any(isinstance(attempt.outcome, Failed | Lost) for attempt in attempts):
        return "failed"
    return "passed" if canary and all(run.done(step.id) for step in canary) else ""


def _moments(of: dict[str, list[Run]]) -> Iterator[Metric]:
    started = GaugeMetricFamily(
        "reconciler_hop_started_timestamp_seconds", "When the open run began; 0 without one.", labels=("service",)
    )
    progress = GaugeMetricFamily(
        "reconciler_hop_last_progress_timestamp_seconds", "When a step last began or ended.", labels=("service",)
    )
    backup = GaugeMetricFamily(
        "reconciler_backup_last_success_timestamp_seconds", "When a backup was last read back.", labels=("service",)
    )
    for name, runs in of.items():
        open_run = next((run for run in runs if not run.ended), None)
        started.add_metric((name,), open_run.started_at.timestamp() if open_run else 0)
        moves = [moment for run in runs[-1:] for moment in _moves(run)]
        progress.add_metric((name,), max(moves).timestamp() if moves else 0)
        backups = [
            each.at
            for run in runs
            for each in ended(run)
            if each.step.phase is Phase.BACKUP and each.step.service == name and isinstance(each.attempt.outcome, Done)
        ]
        backup.add_metric((name,), max(backups).timestamp() if backups else 0)
    yield from (started, progress, backup)


def _moves(run: Run) -> Iterator[datetime]:
    yield run.started_at
    for attempts in run.attempts.values():
        for attempt in attempts:
            yield attempt.ended_at or attempt.at


def _counts(of: dict[str, list[Run]]) -> Iterator[Metric]:
    hops = CounterMetricFamily("reconciler_hops", "Runs by how they ended.", labels=("service", "result"))
    canaries = CounterMetricFamily("reconciler_canary_runs", "Canaries by result.", labels=("service", "result"))
    for name, runs in of.items():
        for result in RESULTS:
            hops.add_metric((name, result), sum(run.ended == result for run in runs))
        results = [canary_result(run) for run in runs]
        for result in ("passed", "failed"):
            canaries.add_metric((name, result), results.count(result))
    yield from (hops, canaries)


def _durations(of: dict[str, list[Run]], history: History) -> Iterator[Metric]:
    whole = HistogramMetricFamily("reconciler_hop_duration_seconds", "Whole runs.", labels=("service",))
    pause = HistogramMetricFamily(
        "reconciler_hop_pause_duration_seconds", "From the first stop to the last start.", labels=("service",)
    )
    for name, runs in of.items():
        seconds = [(run.ended_at - run.started_at).total_seconds() for run in runs if run.ended_at is not None]
        _add(whole, (name,), seconds, RUN_BUCKETS)
        _add(pause, (name,), [length for run in runs if (length := _pause(run)) is not None], RUN_BUCKETS)
    steps = HistogramMetricFamily("reconciler_step_duration_seconds", "Steps by kind.", labels=("step",))
    by_kind: dict[str, list[float]] = {}
    for run in history.runs:
        for each in ended(run):
            by_kind.setdefault(each.step.kind, []).append(each.seconds)
    for kind, seconds in sorted(by_kind.items()):
        _add(steps, (kind,), seconds, STEP_BUCKETS)
    yield from (whole, pause, steps)


def _pause(run: Run) -> float | None:
    """Return for how long a finished run kept its service from working; None when it stopped nothing beforehand."""
    stops = [each.attempt.at for each in ended(run) if each.step.phase is Phase.QUIESCE]
    starts = [each.at for each in ended(run) if each.step.phase in {Phase.ROLL, Phase.BACK_OUT}]
    return (max(starts) - min(stops)).total_seconds() if run.ended and stops and starts else None


def _add(to: HistogramMetricFamily, labels: tuple[str, ...], values: Sequence[float], bounds: Sequence[float]) -> None:
    buckets = [(str(float(bound)), sum(value <= bound for value in values)) for bound in bounds]
    to.add_metric(labels, [*buckets, ("+Inf", len(values))], sum(values))


def _newest(run: Run) -> Iterator[Attempt]:
    for step in run.steps:
        last = run.last(step.id)
        if last is not None:
            yield last
