"""Whether a Prometheus whose answer is empty would know better: silence is quiet only where something could speak."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

SETTLED = timedelta(minutes=5)
"""How long a server runs before its silence counts: for so long Prometheus looks back, and so late it may scrape."""

_OF_ALERTS = re.compile(r"\bALERTS\b")
_NAMED = re.compile(r"""\balertname\s*=\s*["']([^"'\\]+)["']""")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """An alerting rule as its server shows it; `health` is ok, err or unknown."""

    name: str
    health: str
    evaluated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsServer:
    """Since when a server runs, and which alerting rules it has."""

    started_at: datetime
    rules: tuple[AlertRule, ...] = ()


def of_alerts(promql: str) -> bool:
    """Tell whether a query asks what fires, and so is empty where there are no rules."""
    return _OF_ALERTS.search(promql) is not None


def judge_quiet(promql: str, server: MetricsServer, now: datetime) -> str:
    """Say why an empty answer to a query says nothing; empty where it says that all is quiet.

    A server that has just begun has scraped and evaluated nothing, and one without the rules that a query of alerts is
    about, or that cannot evaluate them, never fires.
    """
    age = now - server.started_at
    if age < SETTLED:
        enough = SETTLED.total_seconds()
        return f"Prometheus runs for {age.total_seconds():.0f} s only; its silence counts after {enough:.0f} s"
    return _of_rules(promql, server) if of_alerts(promql) else ""


def _of_rules(promql: str, server: MetricsServer) -> str:
    named = set(_NAMED.findall(promql))
    rules = [rule for rule in server.rules if not named or rule.name in named]
    if missing := sorted(named - {rule.name for rule in rules}):
        return f"Prometheus has no alerting rule {', '.join(missing)}"
    if not rules:
        return "Prometheus has no alerting rules"
    mute = sorted({rule.name for rule in rules if rule.health != "ok" or rule.evaluated_at < server.started_at})
    return f"Prometheus has not evaluated, or cannot evaluate, its rule {', '.join(mute[:3])}" if mute else ""
