"""What git and people allow, worked out anew: a leg forward that does more than that at a moment trespasses.

It shares no code with the gates of the daemon. It reads the journal, what each commit wanted, and which answers the
daemons had from the fleet's Prometheus. Preflight and prepare touch nothing that serves, finish only gives back: these,
and whatever goes back, pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from reconciler.domain.desired import Desired, Percent, Service
from reconciler.domain.journal import Entry, Kind
from reconciler.domain.window import Window

PREPARING = {"preflight", "prepare"}
PROVED = {"read_back", "restored"}
"""What a step says of the dump that it has made."""
OLD = timedelta(minutes=15)
"""An answer older than this says nothing of now."""


@dataclass(frozen=True)
class Heard:
    """What a daemon was told of an alert: that nothing fires, or something else. Its sweeps follow one another."""

    epoch: int
    at: datetime
    alert: str
    quiet: bool


@dataclass
class Leg:
    """One run that goes forward: what it has begun, and when hosts were started by it."""

    run: str
    group: str
    plan: Mapping[str, Any]
    wanted: Desired
    steps: Mapping[str, Mapping[str, Any]]
    begun: bool = False
    waves: set[int] = field(default_factory=set)
    started: dict[tuple[str, str], datetime] = field(default_factory=dict)  # by service and host


@dataclass
class Gatekeeper:
    """Knows what holds after a part of a history; `feed` takes in the next entry and yields what it had no right to."""

    wanted: Mapping[str, Desired | None]
    heard: Sequence[Heard]
    now: Desired | None = None
    legs: dict[str, Leg] = field(default_factory=dict)
    steps: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    yeses: list[tuple[str, int | None, str, str]] = field(default_factory=list)  # plan, wave, by, run
    halts: dict[str, str] = field(default_factory=dict)
    dumped: dict[str, datetime] = field(default_factory=dict)  # by service: when its newest dump was made and read back
    out: dict[tuple[str, str], str] = field(default_factory=dict)  # service and host: run that took it out of work

    def feed(self, entry: Entry) -> Iterator[str]:
        """Take in one entry."""
        body: Any = entry.body
        match entry.kind:
            case Kind.REVISION_ACCEPTED | Kind.HISTORY_ACCEPTED:
                self.now = self.wanted[body["revision"]] or self.now
            case Kind.PLAN_PINNED:
                self._pinned(entry, body["plan"])
            case Kind.TURNED_BACK:
                self.legs.pop(entry.run, None)
                self._know(entry.run, body["steps"])
            case Kind.APPROVED:
                self.yeses.append((body["plan"], body["wave"], body["by"], entry.run))
            case Kind.HALT_RAISED:
                self.halts[body["id"]] = entry.group
            case Kind.HALT_CLEARED:
                self.halts.pop(body["id"], None)
            case Kind.RUN_ENDED if body["result"] == "abandoned":
                self.out.clear()  # what people do then is in no journal
            case Kind.RESULT if body["outcome"] == "done":
                self._done(entry)
            case Kind.INTENT:
                yield from self._begun(entry)

    def _pinned(self, entry: Entry, plan: Any) -> None:
        self._know(entry.run, plan["steps"])
        if plan["direction"] == "forward" and self.now is not None:
            steps = {step["id"]: step for step in plan["steps"]}
            self.legs[entry.run] = Leg(entry.run, entry.group, plan, self.now, steps)

    def _know(self, run: str, steps: Sequence[Mapping[str, Any]]) -> None:
        self.steps |= {(run, step["id"]): step for step in steps}

    def _done(self, entry: Entry) -> None:
        step = self.steps[entry.run, entry.step]
        where = (step["service"], step["host"])
        if step["kind"] == "units" and step["args"]["state"] != "stopped":
            self.out.pop(where, None)
            if entry.run in self.legs:
                self.legs[entry.run].started[where] = entry.at
        if _values(entry).get("trust") in PROVED:
            self.dumped[step["service"]] = entry.at

    # ------------------------------------------------------------ what is begun

    def _begun(self, entry: Entry) -> Iterator[str]:
        leg, step = self.legs.get(entry.run), self.steps[entry.run, entry.step]
        if leg is not None and step["phase"] != "finish":
            what = f"{entry.step} of {entry.run} was begun"
            yield from (f"{what} {why}" for why in self._forbidden(entry, leg, step))
        if step["kind"] == "units" and step["args"]["state"] != "started":
            self.out.setdefault((step["service"], step["host"]), entry.run)

    def _forbidden(self, entry: Entry, leg: Leg, step: Mapping[str, Any]) -> Iterator[str]:
        """Say why a step forward should have waited."""
        assert self.now is not None
        if _denied(self.now, leg.group, entry.at):
            yield "in a freeze"
        if others := [name for name, group in self.halts.items() if self._stops(group, leg.group)]:
            yield f"while {others} stopped the fleet"
        if step["phase"] in PREPARING:
            return
        if not _allowed(self.now, leg.group, entry.at):
            yield "outside its windows"
        yield from self._unready(entry, leg, step)
        if step["phase"] == "roll" and step["kind"] == "units" and step["args"]["state"] != "started":
            yield from self._too_many(step)
        leg.begun = True
        if step["phase"] == "roll" and step["wave"] is not None:
            leg.waves.add(step["wave"])

    def _stops(self, halted: str, group: str) -> bool:
        """Tell whether halts of a group stop another one."""
        assert self.now is not None
        return halted != group and halted in self.now.halts and self.now.halts[halted].scope == "fleet"

    def _unready(self, entry: Entry, leg: Leg, step: Mapping[str, Any]) -> Iterator[str]:
        """Find what a leg lacks as it touches for the first time what serves, or as a wave after the canary begins."""
        wave = step["wave"] if step["phase"] == "roll" and step["wave"] not in leg.waves else None
        if not leg.begun:
            yield from self._unapproved(entry, leg, None)
            yield from self._alarming(entry, leg, ("pause", "waves"))
            yield from self._not_dumped(entry, leg)
        elif wave:
            yield from self._unapproved(entry, leg, wave)
            yield from self._alarming(entry, leg, ("waves",))
        if wave:
            yield from _unsoaked(entry, leg, step)

    def _unapproved(self, entry: Entry, leg: Leg, wave: int | None) -> Iterator[str]:
        assert self.now is not None
        policy = self.now.approvals.get(leg.group)
        if policy is None:
            return
        in_git = [
            (each.plan, each.wave, each.by, leg.run)
            for each in self.now.approved
            if each.until is None or entry.at.date() <= each.until
        ]
        people = {
            by
            for plan, of, by, run in (*self.yeses, *in_git)
            if (plan, of, run) == (leg.plan["id"], wave, leg.run) and (not policy.by or by in policy.by)
        }
        needed = policy.leg if wave is None else policy.waves
        if len(people) < needed:
            yield f"with the yes of {sorted(people) or 'nobody'} alone, and {needed} are asked for"

    def _alarming(self, entry: Entry, leg: Leg, until: tuple[str, ...]) -> Iterator[str]:
        """Find alerts of which the daemon did not know that they are quiet.

        The newest answer may still be on its way into a pass; the one before was taken in before that was asked for.
        """
        assert self.now is not None
        for alert in self.now.alerts:
            if alert.until not in until or (alert.groups and leg.group not in alert.groups):
                continue
            own = [each for each in self.heard if (each.epoch, each.alert) == (entry.body["epoch"], alert.promql)]
            known = [each.quiet for each in own if entry.at - OLD <= each.at <= entry.at]
            if not any(known[-2:]):
                yield f"while nobody could tell that {alert.name} was quiet"

    def _not_dumped(self, entry: Entry, leg: Leg) -> Iterator[str]:
        assert self.now is not None
        for service in {step["service"] for step in leg.plan["steps"] if step["phase"] == "migrate"}:
            hours = self.now.backups_of(service).within_hours
            newest = self.dumped.get(service)
            if hours is not None and (newest is None or entry.at - newest > timedelta(hours=hours)):
                yield f"without a backup of {service} within {hours} h"

    def _too_many(self, step: Mapping[str, Any]) -> Iterator[str]:
        """Find a host that is taken out of work in a roll beside as many as may be out already."""
        assert self.now is not None
        service = self.now.services.get(step["service"])
        hosts = _beside(service, step["host"]) if service else ()
        limit = _limit(service, len(hosts)) if service else None
        gone = {each.host for each in self.now.quarantined} & set(hosts)
        gone |= {host for name, host in self.out if name == step["service"] and host in hosts}
        if limit is not None and step["host"] not in gone and len(gone) >= limit:
            yield f"while {sorted(gone)} were out of work, and {limit} may be"


def trespasses(entries: Sequence[Entry], wanted: Mapping[str, Desired | None], heard: Sequence[Heard]) -> Iterator[str]:
    """Judge a whole history."""
    keeper = Gatekeeper(wanted, heard)
    for entry in entries:
        yield from keeper.feed(entry)


def _unsoaked(entry: Entry, leg: Leg, step: Mapping[str, Any]) -> Iterator[str]:
    """Find a wave that begins before the canary of its role has run for its soak; the last sample closes it."""
    service = leg.wanted.services[step["service"]]
    if step["host"] not in service.hosts or not service.canary.soak_s:
        return  # a deployment that takes over has a canary, and no soak
    rolled = [
        each for each in leg.plan["steps"] if each["phase"] == "roll" and each["service"] == service.name
        and each["wave"] is not None and each["wave"] <= step["wave"]
    ]  # fmt: skip
    led = max((each["wave"] for each in rolled if each["leads"] or each["wave"] == 0), default=None)
    canary = next((each["host"] for each in rolled if each["wave"] == led), step["host"])
    begun = leg.started.get((service.name, canary))
    soak = timedelta(seconds=service.canary.soak_s - max(probe.interval_s for probe in service.verify))
    if canary != step["host"] and (begun is None or entry.at - begun < soak):
        yield f"before {canary} had run for its soak of {service.canary.soak_s:g} s"


def _values(entry: Entry) -> Mapping[str, Any]:
    """Return what a step left to others."""
    body: Any = entry.body
    values: Mapping[str, Any] = body.get("values", {})
    return values


def _denied(wanted: Desired, group: str, at: datetime) -> bool:
    return any(_holds(each, at) for each in _of(wanted, group) if each.effect == "deny")


def _allowed(wanted: Desired, group: str, at: datetime) -> bool:
    allowing = [each for each in _of(wanted, group) if each.effect == "allow"]
    return not allowing or any(_holds(each, at) for each in allowing)


def _of(wanted: Desired, group: str) -> list[Window]:
    return [each for each in wanted.windows if not each.groups or group in each.groups]


def _holds(window: Window, at: datetime) -> bool:
    """Tell whether a window holds at a moment: one of whole days, or one of each hour, both in UTC."""
    if not window.cron:
        assert window.first
        assert window.last
        return window.first <= at.date() <= window.last
    minute = int(window.cron.split()[0])
    since = (at.minute * 60 + at.second + at.microsecond / 1e6 - minute * 60) % 3600
    return since < window.duration_h * 3600


def _beside(service: Service, host: str) -> tuple[str, ...]:
    """Return the hosts of the deployment that a host bears."""
    every = (service.hosts, *(each.hosts for each in service.replacements.values()))
    return next((hosts for hosts in every if host in hosts), service.hosts)


def _limit(service: Service, total: int) -> int | None:
    limit = service.max_unavailable
    if limit == "quorum":
        return (total - 1) // 2
    return max(1, total * limit.of_100 // 100) if isinstance(limit, Percent) else limit
