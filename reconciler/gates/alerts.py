"""Lets a leg touch what serves only while nothing fires in the fleet's Prometheus that git names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from reconciler.domain.alert import Alert
from reconciler.domain.gate import Closed, Holds
from reconciler.domain.observation import Absent, Known, Unknown
from reconciler.domain.reasons import TEXTS, Reason
from reconciler.gates import Case

NAME = "alerts"

MAX_AGE = timedelta(minutes=15)
"""How old an answer may be: three sweeps at their usual interval. What is older says nothing of now."""

SHOWN = 3


def judge(case: Case) -> tuple[Closed, ...]:
    """Close for all that fires, and where nobody can tell whether it does."""
    return tuple(closed for each in _asked(case) if (closed := _of(each, case)))


def _asked(case: Case) -> Iterator[Alert]:
    for each in case.desired.alerts:
        counts = not case.begun or (each.until == "waves" and case.wave > 0)
        if counts and (not each.groups or case.group in each.groups):
            yield each


def _of(alert: Alert, case: Case) -> Closed | None:
    match case.alerts.get(alert.name):
        case Known(samples, at) if case.now - at <= MAX_AGE:
            if not samples:
                return None
            more = f" and {len(samples) - SHOWN} more" if len(samples) > SHOWN else ""
            shown = ", ".join(each.text for each in samples[:SHOWN])
            return _closed(Reason.ALERT_FIRING, f"{alert.name}: {shown}{more}")
        case Known(_, at):
            return _closed(Reason.ALERT_UNKNOWN, f"{alert.name}: the newest answer is from {at:%Y-%m-%d %H:%M UTC}")
        case Unknown(_, text, _):
            return _closed(Reason.ALERT_UNKNOWN, f"{alert.name}: {text}")
        case Absent() | None:
            return _closed(Reason.ALERT_UNKNOWN, f"{alert.name}: it was not asked yet")


def _closed(reason: Reason, text: str) -> Closed:
    return Closed(gate=NAME, reason=str(reason), text=text, hint=TEXTS[reason][1], holds=Holds.SERVING)
