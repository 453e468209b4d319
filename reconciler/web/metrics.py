"""The daemon's metrics: a collector over the newest report, so that a restart loses no counter that matters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from reconciler import __version__
from reconciler.domain.desired import Desired
from reconciler.domain.observation import Known
from reconciler.domain.reasons import Reason
from reconciler.domain.stall import Stalled
from reconciler.domain.text import one_line
from reconciler.domain.verdict import Decision, Report, State, Verdict
from reconciler.planning.deployments import live
from reconciler.planning.scene import groups_of
from reconciler.planning.status_json import diff_to_json, host_counts
from reconciler.web.board import Board
from reconciler.web.judgement import judgement_series
from reconciler.web.runs import run_series

INVALID = frozenset(
    map(str, (Reason.SOURCE_INVALID, Reason.SOURCE_REFUSED, Reason.SOURCE_UNVERIFIED, Reason.HISTORY_REWRITTEN))
)
STATES: Mapping[State, str] = {
    State.IN_SYNC: "in_sync",
    State.PROGRESSING: "progressing",
    State.WAITING: "waiting",
    State.BLOCKED: "blocked",
    State.SUSPENDED: "suspended",
    State.BACKING_OUT: "backing_out",
    State.HALTED: "halted",
}
MAX_LABEL = 500
"""Characters of a label's value; the version of a schema may name every one of its heads."""

Series = Iterator[Metric]


class ReportCollector(Collector):
    """Turns what the board shows into series; every name starts with ``reconciler_``."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def collect(self) -> Iterable[Metric]:
        """Return all series; before the first report those of the program and its source alone."""
        for metric in self._all(self._board.report):
            metric.samples = [sample._replace(labels=_fit(sample.labels)) for sample in metric.samples]
            yield metric

    def _all(self, report: Report | None) -> Series:
        yield from self._program()
        yield from self._source(report)
        if report is None or report.desired is None:
            return
        yield from services(report, report.desired)
        yield from drift(report, report.desired)
        yield from schemas(report)
        yield from troubles(report, report.desired)
        yield from run_series(report.history, report.desired)
        yield from judgement_series(report, report.desired)

    def _program(self) -> Series:
        yield _info("build", "The program.", {"version": __version__, "revision": ""})
        yield _gauge("leader", "1 while this daemon holds the lease.", 0 if self._board.leader else 1)
        writable = int(not self._board.store_problem)
        yield _gauge("store_writable", "0 while the journal takes no entry, so that nothing is begun.", writable)
        right = int(not self._board.settings_problem)
        yield _gauge("settings_valid", "0 when the settings could not be read anew, so that older ones hold.", right)
        passes = _counter("reconciles", "Passes by verdict.", ("service", "result"))
        for (service, state), count in sorted(self._board.passes.items()):
            passes.add_metric((service, state), count)
        yield passes
        last = self._board.report.at.timestamp() if self._board.report else 0
        yield _gauge("last_pass_timestamp_seconds", "When the newest pass ended.", last)

    def _source(self, report: Report | None) -> Series:
        fetches = _counter("git_fetches", "Fetches of the desired state by result: ok or a reason.", ("result",))
        for result in sorted({"ok", str(Reason.SOURCE_UNREACHABLE), *self._board.fetches}):
            fetches.add_metric((result,), self._board.fetches[result])
        yield fetches
        at = self._board.fetched_at or self._board.started_at
        yield _gauge(
            "git_last_success_timestamp_seconds",
            "When the repository was last reached; until then, when the daemon was started.",
            at.timestamp(),
        )
        if report is not None:
            valid = not report.problems and report.source.problem not in INVALID
            yield _gauge("desired_state_valid", "1 when the newest commit is in force.", int(valid))
            doubted = report.source.problem == Reason.SOURCE_UNVERIFIED
            yield _gauge("source_unverified", "1 while a new commit is not signed as it must be.", int(doubted))
            yield _info("desired_revision", "The commit in force.", {"revision": report.revision})


def services(report: Report, desired: Desired) -> Series:
    """Say how each service stands."""
    info = GaugeMetricFamily(
        "reconciler_service_info",
        "What each service should be at, and is at.",
        labels=("service", "desired_release", "observed_release", "ready", "suspended", "phase"),
    )
    # Not a StateSet: the text format has none, and names their label like the metric.
    states = GaugeMetricFamily(
        "reconciler_hop_state", "1 for the verdict over each service.", labels=("service", "state")
    )
    positions = {position.service: position.release for position in report.positions}
    suspended = {each.scope for each in report.history.suspensions}
    for name, group, verdict in _verdicts(report, desired):
        held = bool(suspended & {"", group, name} or desired.suspended or desired.services[name].suspended)
        ready = verdict is not None and verdict.state is State.IN_SYNC
        phase = verdict.phase if verdict else ""
        release, seen = desired.services[name].release, positions.get(name, "")
        info.add_metric((name, release, seen, _flag(ready), _flag(held), phase), 1)
        for state, word in STATES.items():
            states.add_metric((name, word), int(verdict is not None and verdict.state is state))
    yield info
    yield states


def drift(report: Report, desired: Desired) -> Series:
    """Count what differs and what cannot be told."""
    hosts = GaugeMetricFamily("reconciler_hosts", "Hosts of each service.", labels=("service", "state"))
    for name, service in desired.services.items():
        counts = host_counts(report, live(service, report.history).hosts)
        for state in ("known", "unknown"):
            hosts.add_metric((name, state), counts[state])
    yield hosts
    targets = GaugeMetricFamily(
        "reconciler_drift", "Hosts and databases of each service that differ.", labels=("service",)
    )
    for each in diff_to_json(report.revision, desired, report.positions)["services"]:
        differing = [target for target in (*each["hosts"], *each["databases"]) if target["differs"]]
        targets.add_metric((each["service"],), len(differing))
    yield targets


def schemas(report: Report) -> Series:
    """Name the schema version of each database as it was read."""
    info = GaugeMetricFamily(
        "reconciler_schema_info", "The schema version that was read.", labels=("service", "database", "version")
    )
    for (service, name), seen in sorted(report.observations.databases.items()):
        if isinstance(seen, Known):
            rows = [f"{repository}={version}" for repository, version in sorted((seen.value.migrate or {}).items())]
            version = ",".join(sorted(seen.value.alembic or rows))
            info.add_metric((service, name, version), 1)
    yield info


def troubles(report: Report, desired: Desired) -> Series:
    """Count what waits for a person."""
    halts = GaugeMetricFamily("reconciler_halts", "Open halts.", labels=("service",))
    holds = GaugeMetricFamily("reconciler_holds", "Inputs that failed and are not tried again.", labels=("service",))
    for name, group, _ in _verdicts(report, desired):
        halts.add_metric((name,), len(report.history.halts_of(group)))
        holds.add_metric((name,), sum(hold[0] == group for hold in report.history.holds))
    yield halts
    yield holds
    yield _stalls(report, desired)


def _stalls(report: Report, desired: Desired) -> Metric:
    stalls = GaugeMetricFamily("reconciler_stalls", "What stands still, by kind.", labels=("service", "kind"))
    for name, group, _ in _verdicts(report, desired):
        mine = Counter(stall.kind for stall in report.stalls if stall.group in {group, ""})
        for kind in Stalled:
            stalls.add_metric((name, str(kind)), mine[kind])
    return stalls


def _verdicts(report: Report, desired: Desired) -> Iterator[tuple[str, str, Verdict | None]]:
    decisions: dict[str, Decision] = {decision.verdict.group: decision for decision in report.decisions}
    for group, names in groups_of(desired).items():
        for name in names:
            yield name, group, decisions[group].verdict if group in decisions else None


def _fit(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: one_line(value, MAX_LABEL) for name, value in labels.items()}


def _flag(value: object) -> str:
    return "true" if value else "false"


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"reconciler_{name}", text, value=value)


def _counter(name: str, text: str, labels: tuple[str, ...]) -> CounterMetricFamily:
    return CounterMetricFamily(f"reconciler_{name}", text, labels=labels)


def _info(name: str, text: str, labels: dict[str, str]) -> Metric:
    return InfoMetricFamily(f"reconciler_{name}", text, value=labels)
