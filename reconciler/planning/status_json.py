"""What a pass found, as JSON: the `status` and `diff` contracts, and the plans as the store keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from reconciler.domain.desired import Desired
from reconciler.domain.observation import Known, Observations, Observed
from reconciler.domain.position import DatabasePosition, HostPosition, Position
from reconciler.domain.route import Hop, HopGate, HopKind, Reason, Refusal, Route, RoutePolicy
from reconciler.domain.run import Run
from reconciler.domain.verdict import Decision, Report
from reconciler.planning.position import goal_of
from reconciler.planning.preview import Preview
from reconciler.planning.rehearsal import newest
from reconciler.planning.scene import groups_of
from reconciler.planning.serial import plan_from_json, plan_to_json


def status_to_json(report: Report, since: Mapping[str, datetime]) -> dict[str, Any]:
    """Render how everything stands; `since` says from when on a group's verdict has held."""
    history, source = report.history, report.source
    return {
        "revision": report.revision,
        "fleet": report.desired.fleet if report.desired else "",
        "at": moment(report.at),
        "services": list(_services(report, since)),
        "halts": [
            {
                "id": halt.id,
                "scope": halt.group,
                "reason": halt.reason,
                "text": halt.text,
                "hint": halt.hint,
                "since": moment(halt.since),
            }
            for halt in history.halts
        ],
        "stalls": [
            {
                "kind": str(stall.kind),
                "group": stall.group,
                "owner": str(stall.owner),
                "reason": stall.reason,
                "text": stall.text,
                "hint": stall.hint,
                "since": moment(stall.since or since.get(stall.group)),
            }
            for stall in report.stalls
        ],
        "hosts": host_counts(report, tuple(report.desired.hosts) if report.desired else ()),
        "suspensions": [
            {"scope": each.scope, "by": each.by, "why": each.why, "since": moment(each.since)}
            for each in history.suspensions
        ],
        "rehearsals": [{"service": each.service, "run": each.run, "state": each.state} for each in newest(history)],
        "quarantine": list(_quarantine(report)),
        "source": {"problem": source.problem, "text": source.text, "hint": source.hint, "head": source.head},
        "problems": [{"reason": each.reason, "text": each.text, "hint": each.hint} for each in report.problems],
    }


def _quarantine(report: Report) -> Iterable[dict[str, Any]]:
    for each in report.desired.quarantined if report.desired else ():
        told = {"host": each.host, "services": [*each.services], "by": each.by, "why": each.reason}
        yield {**told, "until": each.until.isoformat()}


def host_counts(report: Report, hosts: Sequence[str]) -> dict[str, int]:
    """Count hosts that were seen and hosts that nobody can tell of; one that was not asked yet is unknown."""
    known = sum(isinstance(report.observations.hosts.get(name), Known) for name in hosts)
    return {"known": known, "unknown": len(hosts) - known, "total": len(hosts)}


def moment(at: datetime | None) -> str:
    """Render a time; empty when there is none."""
    return "" if at is None else at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _services(report: Report, since: Mapping[str, datetime]) -> Iterable[dict[str, Any]]:
    if report.desired is None:
        return
    decisions = {decision.verdict.group: decision for decision in report.decisions}
    positions = {position.service: position for position in report.positions}
    for group, names in groups_of(report.desired).items():
        for name in names:
            service = report.desired.services[name]
            position = positions[name].release if name in positions else ""
            run = report.history.open_run(group)
            yield {
                "service": name,
                "group": group,
                "desired": service.release,
                "position": position,
                **_standing(decisions.get(group)),
                "since": moment(since.get(group)),
                "steps": dict(zip(("done", "of"), progress(run) if run else (0, 0), strict=True)),
            }


def _standing(decision: Decision | None) -> dict[str, Any]:
    verdict = decision.verdict if decision else None
    return {
        "phase": verdict.phase if verdict else "",
        "verdict": str(verdict.state) if verdict else "",
        "reason": verdict.reason if verdict else "",
        "text": verdict.text if verdict else "",
        "hint": verdict.hint if verdict else "",
        "run": verdict.run if verdict else "",
    }


# ---------------------------------------------------------------- diff


NOT_SEEN = Observations()


def diff_to_json(
    revision: str, desired: Desired, positions: Sequence[Position], seen: Observations = NOT_SEEN
) -> dict[str, Any]:
    """Render how what was seen differs from what is desired, target by target; `seen` says when that was."""
    services = [_difference(desired, each, seen) for each in positions]
    return {
        "revision": revision,
        "differs": any(each["differs"] for each in services),
        "unknown": any(each["unknown"] for each in services),
        "services": services,
    }


def _difference(desired: Desired, position: Position, seen: Observations) -> dict[str, Any]:
    service = desired.services[position.service]
    where = desired.origins.get((service.name, ""), "")
    databases = [
        {**_database(each, service.release), "seen_at": _seen_at(seen.databases.get((service.name, each.name)))}
        for each in position.databases
    ]
    hosts = [
        {
            **_host(each, goal_of(service, each.host)),
            "where": desired.origins.get((service.name, each.host), where),
            "seen_at": _seen_at(seen.hosts.get(each.host)),
        }
        for each in position.hosts
    ]
    return {
        "service": service.name,
        "desired": service.release,
        "where": where,
        "position": position.release,
        "differs": any(each["differs"] for each in (*databases, *hosts)),
        "unknown": bool(position.blocks) or not position.release,
        "databases": databases,
        "hosts": hosts,
        "blocks": [{"reason": each.reason, "text": each.text, "hint": each.hint} for each in position.blocks],
    }


def _seen_at(seen: Observed[Any] | None) -> str:
    return moment(seen.at) if seen is not None else ""


def _database(seen: DatabasePosition, goal: str) -> dict[str, Any]:
    return {
        "name": seen.name,
        "releases": list(seen.releases),
        "text": seen.block.text if seen.block else seen.text,
        "differs": bool(seen.releases) and goal not in seen.releases,
        "unknown": seen.block.reason if seen.block else "",
    }


def _host(seen: HostPosition, goal: str) -> dict[str, Any]:
    return {
        "host": seen.host,
        "desired": goal,
        "release": seen.release,
        "differs": bool(seen.drift),
        "drift": list(seen.drift),
        "unknown": seen.unknown.text if seen.unknown else "",
    }


# ---------------------------------------------------------------- plans, and the runs that carry them out


def previews_to_json(previews: Iterable[Preview]) -> dict[str, Any]:
    """Render plans whole, with the routes that explain them."""
    return {
        "groups": [
            {
                "group": each.group,
                "plan": plan_to_json(each.plan) if each.plan else None,
                "routes": [route.as_json() for route in each.routes],
                "hosts": dict(each.hosts),
            }
            for each in previews
        ]
    }


def previews_from_json(data: Mapping[str, Any]) -> tuple[Preview, ...]:
    """Read what `previews_to_json` wrote."""
    return tuple(
        Preview(
            each["group"],
            plan_from_json(each["plan"]) if each["plan"] else None,
            tuple(_route(route) for route in each["routes"]),
            each.get("hosts", {}),  # an older daemon published none
        )
        for each in data["groups"]
    )


def _route(data: Mapping[str, Any]) -> Route:
    return Route(
        service=data["service"],
        start=data["from"],
        goal=data["to"],
        policy=RoutePolicy(data["policy"]),
        hops=tuple(_hop(each) for each in data["hops"]),
        equals=tuple(tuple(stops) for stops in data["equals"]),
        refused=tuple(Refusal(start=each["from"], goal=each["to"], reason=_reason(each)) for each in data["refused"]),
    )


def _hop(data: Mapping[str, Any]) -> Hop:
    return Hop(
        start=data["from"],
        goal=data["to"],
        kind=HopKind(data["kind"]),
        reasons=tuple(_reason(each) for each in data["reasons"]),
        gates=tuple(HopGate(id=each["id"], text=each["text"]) for each in data["gates"]),
    )


def _reason(data: Mapping[str, Any]) -> Reason:
    return Reason(rule=data["rule"], text=data["text"], source=data["source"])


def progress(run: Run) -> tuple[int, int]:
    """Return how many steps of a run are done, and how many there are."""
    return sum(run.done(step.id) for step in run.steps), len(run.steps)
