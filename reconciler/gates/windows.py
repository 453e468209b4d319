"""Lets legs begin and go on in maintenance windows only, and never in freezes: what denies wins over what allows."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from reconciler.domain.gate import Closed, Holds
from reconciler.domain.reasons import TEXTS, Reason
from reconciler.domain.window import Window
from reconciler.gates import Case

NAME = "windows"

HORIZON = timedelta(days=400)
"""How far ahead a change is looked for: a window that opens once a year is found."""

Span = tuple[datetime, datetime]


def judge(case: Case) -> tuple[Closed, ...]:
    """Close outside every window that allows, within one that denies, and where the leg does not fit in the rest."""
    windows = [each for each in case.desired.windows if not each.groups or case.group in each.groups]
    if not windows:
        return ()
    change = next_change(windows, case.now)
    if not is_open(windows, case.now):
        overruns = any(each.overrun for each in windows if each.effect == "allow")
        if case.begun and overruns and not _active(windows, "deny", case.now):
            return ()
        holds = Holds.EVERYTHING if _active(windows, "deny", case.now) else Holds.SERVING
        return (_closed(Reason.WINDOW_CLOSED, _shut(windows, case.now, change), change, holds),)
    if case.begun or change is None or case.now + timedelta(seconds=case.least_s) <= change:
        return ()
    text = f"the leg takes {case.least_s:.0f} s at least, and the window closes {moment(change)}"
    again = next_change(windows, change)
    text += f"; it opens again {moment(again)}" if again else ""
    return (_closed(Reason.WINDOW_TOO_SHORT, text, again, Holds.SERVING),)


def is_open(windows: Sequence[Window], at: datetime) -> bool:
    """Tell whether the windows let through at a moment; without one that allows, all times are allowed."""
    if _active(windows, "deny", at):
        return False
    return not any(each.effect == "allow" for each in windows) or bool(_active(windows, "allow", at))


def next_change(windows: Sequence[Window], now: datetime) -> datetime | None:
    """Return when they open or close next, None when not within the horizon."""
    before = is_open(windows, now)
    edges = heapq.merge(*(_edges(each, now) for each in windows))
    return next((edge for edge in edges if edge > now and is_open(windows, edge) != before), None)


def moment(at: datetime) -> str:
    """Write a time as people of the fleet read it: in UTC, to the minute."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _active(windows: Sequence[Window], effect: str, at: datetime) -> list[Window]:
    return [
        each
        for each in windows
        if each.effect == effect and any(start <= at < end for start, end in _spans(each, at, at))
    ]


def _edges(window: Window, now: datetime) -> Iterator[datetime]:
    """Yield the beginnings and ends of a window from now on, in order."""
    ends: list[datetime] = []
    for start, end in _spans(window, now, now + HORIZON):
        while ends and ends[0] <= start:
            yield heapq.heappop(ends)
        yield start
        heapq.heappush(ends, end)
    while ends:
        yield heapq.heappop(ends)


def _spans(window: Window, first: datetime, last: datetime) -> Iterator[Span]:
    """Yield the times of a window that touch those from first to last, by their beginning, in UTC.

    Hours of a duration are real hours: a window over a change of the clocks is neither longer nor shorter.
    """
    zone = ZoneInfo(window.zone)
    if not window.cron:
        assert window.first is not None
        assert window.last is not None
        start = datetime.combine(window.first, time(), zone).astimezone(UTC)
        yield start, datetime.combine(window.last + timedelta(days=1), time(), zone).astimezone(UTC)
        return
    duration = timedelta(hours=window.duration_h)
    for local in CronSim(window.cron, (first - duration).astimezone(zone) - timedelta(minutes=1)):
        start = local.astimezone(UTC)
        if start > last:
            return
        yield start, start + duration


def _shut(windows: Sequence[Window], now: datetime, change: datetime | None) -> str:
    denying = [each.name for each in _active(windows, "deny", now)]
    why = f"window {', '.join(denying)} denies" if denying else "no window is open"
    return f"{why}; it opens {moment(change)}" if change else f"{why}, and none opens within {HORIZON.days} days"


def _closed(reason: Reason, text: str, until: datetime | None, holds: Holds) -> Closed:
    return Closed(gate=NAME, reason=str(reason), text=text, hint=TEXTS[reason][1], until=until, holds=holds)
