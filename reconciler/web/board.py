"""What the web server shows: the newest report, and what was counted on the way to it. Written by the loop alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from reconciler.domain.reasons import Reason
from reconciler.domain.revision import SourceState
from reconciler.domain.verdict import Report
from reconciler.planning.scene import groups_of


def utc_now() -> datetime:
    """Return the wall time."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Board:
    """A place that other threads only read; `report` is swapped whole.

    `leader` says who holds the lease, where it is another daemon.
    """

    started_at: datetime
    report: Report | None = None
    store_problem: str = ""
    settings_problem: str = ""  # of those that were to be read anew; older ones hold
    fetches: Counter[str] = field(default_factory=Counter)  # by result: ok, or a reason code
    fetched_at: datetime | None = None  # the last time that the source could be reached
    passes: Counter[tuple[str, str]] = field(default_factory=Counter)  # by service and verdict
    leader: str = ""
    _source: SourceState | None = None

    def put(self, report: Report) -> None:
        """Take in a report."""
        if report.source is not self._source and (report.source.head or report.source.revision or self._source):
            self.fetches[report.source.problem or "ok"] += 1
            if report.source.problem != str(Reason.SOURCE_UNREACHABLE):
                self.fetched_at = report.at
        self._source = report.source
        groups = groups_of(report.desired) if report.desired else {}
        for decision in report.decisions:
            for service in groups.get(decision.verdict.group, ()):
                self.passes[service, str(decision.verdict.state)] += 1
        self.report = report
