"""A Prometheus in memory: what it answers to which query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from reconciler.domain.desired import Prometheus
from reconciler.domain.metric import MetricSample
from reconciler.domain.observation import Known, Observed, Unknown
from reconciler.domain.quiet import AlertRule, MetricsServer
from reconciler.domain.reasons import Reason
from reconciler.ports import Clock

AT = datetime(2026, 1, 1, tzinfo=UTC)
SETTLED = MetricsServer(
    started_at=AT - timedelta(days=1), rules=(AlertRule(name="Watchdog", health="ok", evaluated_at=AT),)
)


@dataclass
class MemoryMetrics:
    """Answers the queries that it knows; to every other one, and to the next `unsure`, nobody can tell."""

    answers: Mapping[str, tuple[MetricSample, ...]] = field(default_factory=dict)
    tokens: list[str | None] = field(default_factory=list)
    clock: Clock | None = None
    unsure: int = 0
    server: MetricsServer | None = SETTLED

    async def query(self, server: Prometheus, token: str | None, promql: str) -> Observed[tuple[MetricSample, ...]]:
        self.tokens.append(token)
        at = AT if self.clock is None else self.clock.now()
        self.unsure, unsure = max(0, self.unsure - 1), self.unsure
        if promql in self.answers and not unsure:
            return Known(self.answers[promql], at)
        return Unknown(str(Reason.METRICS_UNREACHABLE), f"{server.url}: no answer within 20 s", at)

    async def standing(self, server: Prometheus, token: str | None, *, rules: bool) -> Observed[MetricsServer]:
        at = AT if self.clock is None else self.clock.now()
        if self.server is None:
            return Unknown(str(Reason.METRICS_UNREACHABLE), f"{server.url}: it does not tell", at)
        return Known(self.server if rules else replace(self.server, rules=()), at)
