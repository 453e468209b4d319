"""Units of systemd and programs of supervisord: their state, and when what runs was started."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from reconciler.domain.desired import Host, Service
from reconciler.domain.observation import Absent, Known, Unit
from reconciler.observers import ParseError, Seen
from reconciler.observers._text import END, HEAD, fields_of, matched, moment, odd
from reconciler.ports import Answer, Question

FIELD = "units"
NAME = r"[A-Za-z0-9:_.@\\-]{1,256}"

# systemctl shows wall times in UTC because TZ says so. The monotonic ones, and /proc, would need the host's uptime,
# which is not the kernel's in a container.
SYSTEMD = (
    HEAD
    + r"""
for unit; do
  printf 'unit\t%s\n' "$unit"
  systemctl show -p LoadState -p ActiveState -p NRestarts -p ExecMainStartTimestamp -p ActiveEnterTimestamp \
    -- "$unit" || exit 3
done
"""
    + END
)

# supervisorctl shows whole seconds of age. The clock is read after it, so that a start is never told earlier than it
# was: else what was started right after a change would look older than that.
SUPERVISORD = (
    HEAD
    + r"""
config=$1 ctl=$2
shift 2
"$ctl" -c "$config" status "$@" 2>/dev/null || [ $? -le 4 ] || exit 3
printf 'now\t%s\n' "$(date +%s)"
"""
    + END
)

SYSTEMD_STATES = {
    "active": "active",
    "reloading": "active",
    "refreshing": "active",
    "activating": "activating",
    "deactivating": "deactivating",
    "inactive": "inactive",
    "failed": "failed",
    "maintenance": "failed",
}
SUPERVISORD_STATES = {
    "RUNNING": "active",
    "STARTING": "activating",
    "BACKOFF": "activating",
    "STOPPING": "deactivating",
    "STOPPED": "inactive",
    "EXITED": "inactive",
    "FATAL": "failed",
}


def questions(host: Host, services: Iterable[Service]) -> tuple[Question, ...]:
    """Ask the host's manager; the host's variable `supervisorctl` says where that is if not on PATH."""
    names = tuple(sorted({unit for service in services for unit in service.units}))
    if not names:
        return ()
    if host.manager == "systemd":
        return (Question("units", SYSTEMD, names),)
    ctl = host.vars.get("supervisorctl", "supervisorctl")
    return (Question("units:supervisord", SUPERVISORD, (host.manager_config, ctl, *names)),)


def subjects(question: Question) -> tuple[str, ...]:
    """Name the units."""
    return question.args[2:] if question.script == SUPERVISORD else question.args


def parse(answer: Answer, at: datetime) -> Seen:
    """Read units; one that its manager does not know is Absent."""
    lines = fields_of(answer)
    match lines:
        case [*programs, ["now", seconds]]:
            return _programs([_program(fields, moment(seconds), at) for fields in programs])
        case _:
            return _units(lines, at)


def _programs(listed: list[tuple[str, Known[Unit] | Absent]]) -> Seen:
    found = dict(listed)
    if len(found) != len(listed):
        raise ParseError("a program is listed twice")
    return found


def _units(lines: list[list[str]], at: datetime) -> Seen:
    shown: dict[str, dict[str, str]] = {}
    unit = ""
    for fields in lines:
        match fields:
            case ["unit", unit] if unit not in shown:
                shown[matched(NAME, unit, "a unit's name")] = {}
            case [line] if unit and "=" in line and (key := line.partition("=")[0]) not in shown[unit]:
                shown[unit][key] = line.partition("=")[2]
            case _:
                raise odd(fields)
    return {name: _unit(properties, at) for name, properties in shown.items()}


def _unit(shown: dict[str, str], at: datetime) -> Known[Unit] | Absent:
    try:
        load, state = shown["LoadState"], SYSTEMD_STATES[shown["ActiveState"]]
        started = shown.get("ExecMainStartTimestamp") or shown["ActiveEnterTimestamp"]
    except KeyError as error:
        raise ParseError(f"the state of a unit is odd: {error}") from None
    if load == "not-found" and state == "inactive":
        return Absent(at)
    active = state == "active"
    return Known(Unit(state, _wall(started) if active else None, _count(shown.get("NRestarts", ""))), at)


def _count(text: str) -> int | None:
    """Read how often a unit was begun anew; systemd before 235 does not tell."""
    return int(matched("[0-9]{1,9}", text, "a count")) if text else None


def _wall(text: str) -> datetime | None:
    """Read `Sat 2026-11-21 22:52:49 UTC`; None where systemd shows nothing."""
    if text in {"", "n/a"}:
        return None
    found = matched(r"[A-Z][a-z]{2} [0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} UTC", text, "a time")
    try:
        return datetime.strptime(found[4:-4], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise ParseError(f"a time is odd: {text}") from None


def _program(fields: list[str], now: datetime, at: datetime) -> tuple[str, Known[Unit] | Absent]:
    line = fields[0] if len(fields) == 1 else ""
    if gone := re.fullmatch(rf"({NAME}): ERROR \(no such (process|group)\)", line, re.ASCII):
        return gone[1], Absent(at)
    shown = re.fullmatch(rf"({NAME}) +([A-Z]{{1,10}})( .*)?", line, re.ASCII)
    if not shown or shown[2] not in SUPERVISORD_STATES:
        raise odd(fields)
    state = SUPERVISORD_STATES[shown[2]]
    return shown[1], Known(Unit(state, now - _age(shown[3] or "") if state == "active" else None), at)


def _age(text: str) -> timedelta:
    """Read `pid 17, uptime 3 days, 4:05:06`."""
    days = r"(?:([0-9]{1,5}) days?, )?"
    found = re.fullmatch(rf" *pid [0-9]+, uptime {days}([0-9]{{1,2}}):([0-9]{{2}}):([0-9]{{2}})", text, re.ASCII)
    if not found:
        raise ParseError(f"an age is odd: {text[:80]!r}")
    day, hours, minutes, seconds = (int(group or 0) for group in found.groups())
    return timedelta(days=day, hours=hours, minutes=minutes, seconds=seconds)
