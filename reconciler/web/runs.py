"""Series about runs: hops, canaries, steps, backups. All come from the journal, so that a restart changes none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from reconciler.domain.desired import Desired
from reconciler.domain.outcome import Lost
from reconciler.domain.run import Attempt, History, Run
from reconciler.domain.sums import Sums
from reconciler.planning.scene import groups_of
from reconciler.planning.sums import RUN_BUCKETS, STEP_BUCKETS, histogram, sums_of

RESULTS = ("done", "backed_out", "dropped")


def run_series(history: History, desired: Desired) -> Iterator[Metric]:
    """Return the series about runs for the services of today."""
    groups = {name: group for group, names in groups_of(desired).items() for name in names}
    of = {name: [run for run in history.runs if run.group == group] for name, group in groups.items()}
    sums = sums_of(history)
    yield from _moments(of, sums)
    yield from _counts(groups, sums)
    yield from _durations(groups, sums)
    lost = sum(isinstance(last.outcome, Lost) for run in history.runs if not run.ended for last in _newest(run))
    yield GaugeMetricFamily("reconciler_unknown_outcomes", "Steps of which nobody can tell how they ended.", value=lost)


def _moments(of: dict[str, list[Run]], sums: Sums) -> Iterator[Metric]:
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
        backup.add_metric((name,), sums.backups.get(name, 0))
    yield from (started, progress, backup)


def _moves(run: Run) -> Iterator[datetime]:
    yield run.started_at
    for attempts in run.attempts.values():
        for attempt in attempts:
            yield attempt.ended_at or attempt.at


def _counts(groups: Mapping[str, str], sums: Sums) -> Iterator[Metric]:
    hops = CounterMetricFamily("reconciler_hops", "Runs by how they ended.", labels=("service", "result"))
    canaries = CounterMetricFamily("reconciler_canary_runs", "Canaries by result.", labels=("service", "result"))
    for name, group in groups.items():
        for result in RESULTS:
            hops.add_metric((name, result), sums.counts.get(("runs", group, result), 0))
        for result in ("passed", "failed"):
            canaries.add_metric((name, result), sums.counts.get(("canaries", group, result), 0))
    yield from (hops, canaries)


def _durations(groups: Mapping[str, str], sums: Sums) -> Iterator[Metric]:
    whole = HistogramMetricFamily("reconciler_hop_duration_seconds", "Whole runs.", labels=("service",))
    pause = HistogramMetricFamily(
        "reconciler_hop_pause_duration_seconds", "From the first stop to the last start.", labels=("service",)
    )
    for name, group in groups.items():
        whole.add_metric((name,), *histogram(sums, "whole", group, RUN_BUCKETS))
        pause.add_metric((name,), *histogram(sums, "pause", group, RUN_BUCKETS))
    steps = HistogramMetricFamily("reconciler_step_duration_seconds", "Steps by kind.", labels=("step",))
    for kind in sorted({key[1] for key in sums.counts if key[0] == "step"}):
        steps.add_metric((kind,), *histogram(sums, "step", kind, STEP_BUCKETS))
    yield from (whole, pause, steps)


def _newest(run: Run) -> Iterator[Attempt]:
    for step in run.steps:
        last = run.last(step.id)
        if last is not None:
            yield last
