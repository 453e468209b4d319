"""Series of what holds groups back: every reason that is shown, hosts in quarantine, and rehearsals."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from reconciler.domain.desired import Desired
from reconciler.domain.verdict import Report, State
from reconciler.planning.quarantine import hosts_of
from reconciler.planning.rehearsal import newest
from reconciler.planning.scene import groups_of

MOVING = frozenset({State.IN_SYNC, State.PROGRESSING, State.BACKING_OUT})
STATES = ("running", "passed", "failed")


def judgement_series(report: Report, desired: Desired) -> Iterator[Metric]:
    """Yield the series of one report."""
    yield _held_back(report, desired)
    away = GaugeMetricFamily(
        "reconciler_quarantined_hosts", "Hosts of each service that git leaves alone.", labels=("service",)
    )
    for name in desired.services:
        away.add_metric((name,), len(hosts_of(name, desired)))
    yield away
    rehearsals = GaugeMetricFamily(
        "reconciler_rehearsal", "1 for how the newest rehearsal of each service went.", labels=("service", "state")
    )
    for each in newest(report.history):
        for state in STATES:
            rehearsals.add_metric((each.service, state), int(each.state == state))
    yield rehearsals


def _held_back(report: Report, desired: Desired) -> Metric:
    """Show every reason for which a service does not move: closed gates, blocks, halts."""
    held = GaugeMetricFamily(
        "reconciler_held_back",
        "1 for each reason for which a service does not move, and the gate that gives it.",
        labels=("service", "reason", "gate"),
    )
    groups = groups_of(desired)
    for decision in report.decisions:
        verdict = decision.verdict
        if verdict.state in MOVING:
            continue
        reasons = {(str(block.reason), block.gate) for block in verdict.blocks} or {(str(verdict.reason), "")}
        for name in groups.get(verdict.group, ()):
            for reason, gate in sorted(reasons):
                held.add_metric((name, reason, gate), 1)
    return held
