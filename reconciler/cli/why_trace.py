"""The trace behind a verdict: what is desired, what was seen, the route's rules, and who can clear what stops it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler.cli.words import lasting
from reconciler.domain.outcome import Failed, Lost
from reconciler.domain.reasons import TEXTS, Reason
from reconciler.domain.release import near_miss
from reconciler.domain.run import Run
from reconciler.domain.who import WORDS, Who, who_clears
from reconciler.errors import ReconcilerError
from reconciler.planning.preview import Preview

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that is known of one service: its row of the status and of the comparison, its preview, and its open run.

    `revision` is the commit that is followed, `head` the newest one of the source.
    """

    status: Document
    place: Document
    preview: Preview | None
    revision: str = ""
    head: str = ""
    halts: tuple[Document, ...] = ()
    suspensions: tuple[Document, ...] = ()
    problems: tuple[Document, ...] = ()
    run: Run | None = None


def trace_of(known: Known, host: str) -> dict[str, Any]:
    """Trace the verdict over a service, or over one host of it; raises ReconcilerError for a host that it has not."""
    status, place = known.status, known.place
    hosts = place.get("hosts", [])
    if host:
        hosts = [chosen(hosts, "host", host)]
    return {
        "service": status["service"],
        "host": host,
        "group": status["group"],
        "verdict": {
            "state": status["verdict"],
            **{key: status[key] for key in ("reason", "text", "hint", "since")},
            "who": str(who_clears(status["reason"])),
        },
        "desired": {
            "release": hosts[0]["desired"] if host else status["desired"],
            "where": hosts[0].get("where", "") if host else place.get("where", ""),
            "revision": known.revision,
        },
        "observed": {
            "position": status["position"],
            "databases": [] if host else list(place.get("databases", [])),
            "hosts": list(hosts),
        },
        "route": _route(known),
        "stops": list(_stops(known)),
        "run": _run(known.run, host) if known.run else None,
    }


def chosen(all_of: Iterable[Document], kind: str, name: str) -> Document:
    """Return the row of that name; raises ReconcilerError that suggests near misses."""
    rows = list(all_of)
    for each in rows:
        if each[kind] == name:
            return each
    known = [each[kind] for each in rows]
    raise ReconcilerError(f"no {kind} {name!r}", reason=f"Unknown{kind.title()}", hint=near_miss(name, known))


def _route(known: Known) -> dict[str, Any] | None:
    """Return the route of the service; routes bear the name of its component, which is mostly its own."""
    if known.preview is None or known.preview.plan is None:
        return None
    name, goal = known.status["service"], known.status["desired"]
    start = next((each.start for each in known.preview.plan.services if each.service == name), "")
    fit = [each for each in known.preview.routes if (each.start, each.goal) == (start, goal)]
    found = next((each for each in fit if each.service == name), fit[0] if fit else None)
    return found.as_json() if found else None


def _stops(known: Known) -> Iterator[dict[str, Any]]:
    """Yield what stands in the way, each thing once, with who can clear it."""
    told = set()
    for stop in _all_stops(known):
        if stop["text"] not in told:
            told.add(stop["text"])
            yield stop


def _all_stops(known: Known) -> Iterator[dict[str, Any]]:
    for each in known.problems:
        yield {**_stop("commit", each), "id": known.head[:12]}
    for each in known.halts:
        yield {**_stop("halt", each), "id": each["id"], "since": each["since"]}
    for each in known.suspensions:
        text = f"suspended by {each['by']}: {each['why']}"
        said = {"reason": "Suspended", "text": text, "hint": f"`reconciler resume {each['scope']}`".replace(" `", "`")}
        yield {**_stop("suspension", said), "since": each["since"]}
    plan = known.preview.plan if known.preview else None
    for block in plan.blocked if plan else ():
        yield _stop("block", {"reason": block.reason, "text": block.text, "hint": block.hint})
    for each in known.place.get("blocks", ()):
        yield _stop("block", each)
    for wait in plan.waits_for if plan else ():
        reason = Reason.DEPENDENCY_OF_OTHERS if wait.others else Reason.DEPENDENCY
        text = f"leg {wait.leg} of {wait.group} comes first: {wait.text} [{wait.rule}]"
        yield _stop("wait", {"reason": str(reason), "text": text, "hint": TEXTS[reason][1]})
    if known.status["verdict"] in {"Waiting", "Blocked", "Suspended"}:
        yield _stop("wait" if known.status["verdict"] == "Waiting" else "block", known.status)


def _stop(kind: str, said: Document) -> dict[str, Any]:
    parts = {key: said[key] for key in ("reason", "text", "hint")}
    return {"kind": kind, "id": "", **parts, "who": str(who_clears(said["reason"])), "since": ""}


def _run(run: Run, host: str) -> dict[str, Any]:
    """Say of an open run what is done, what runs, what failed and what comes next."""
    steps = [step for step in run.steps if not host or step.host == host]
    lasts = {step.id: run.last(step.id) for step in steps}
    titles = {step.id: f"{step.title}{f' on {step.host}' if step.host else ''}" for step in steps}
    return {
        "id": run.id,
        "going_back": run.going_back,
        "done": sum(run.done(step.id) for step in steps),
        "of": len(steps),
        "running": [titles[each] for each, last in lasts.items() if last is not None and last.outcome is None],
        "failed": [
            f"{titles[each]}: {last.outcome.reason}: {last.outcome.text}"
            for each, last in lasts.items()
            if last is not None and isinstance(last.outcome, Failed | Lost)
        ],
        "next": [titles[step.id] for step in steps if not run.attempted(step.id)][:5],
    }


# ---------------------------------------------------------------- in words


def lines_of(trace: Document, now: datetime) -> Iterator[str]:
    """Write a trace in lines, all but its first."""
    verdict, wanted = trace["verdict"], trace["desired"]
    if verdict["text"] not in {stop["text"] for stop in trace["stops"]}:
        yield f"  {verdict['text']}"
        yield f"  hint: {verdict['hint']}"
    if verdict["since"]:
        yield f"  since {verdict['since']}"
    place = ", ".join(filter(None, (wanted["where"], wanted["revision"] and f"commit {wanted['revision'][:12]}")))
    yield f"desired: {wanted['release']}{f' ({place})' if place else ''}"
    yield f"observed: {trace['observed']['position'] or 'unknown'}"
    yield from _observed(trace["observed"], now)
    if trace["route"]:
        yield from _hops(trace["route"])
    for stop in trace["stops"]:
        yield from _stop_lines(stop, trace["group"])
    if run := trace["run"]:
        yield f"run {run['id']}{' goes back' if run['going_back'] else ''}: {run['done']} of {run['of']} steps done"
        for word in ("running", "failed", "next"):
            yield from (f"  {word}: {each}" for each in run[word])


def _observed(seen: Document, now: datetime) -> Iterator[str]:
    for each in seen["databases"]:
        yield f"  database {each['name']}: {', '.join(each['releases']) or 'unknown'}{_age(each, now)}. {each['text']}"
    for each in seen["hosts"]:
        said = each["unknown"] or "; ".join(each["drift"]) or "as desired"
        yield f"  host {each['host']} at {each['release'] or '?'}{_age(each, now)}: {said}"


def _age(seen: Document, now: datetime) -> str:
    at = seen.get("seen_at", "")
    return f", seen {lasting((now - datetime.fromisoformat(at)).total_seconds())} ago" if at else ""


def _hops(route: Document) -> Iterator[str]:
    stops = [route["from"], *(hop["to"] for hop in route["hops"])]
    yield f"route: {' → '.join(stops) if route['hops'] else 'none'}, policy {route['policy']}"
    for hop in route["hops"]:
        for reason in hop["reasons"]:
            said = f"{reason['text']} [{reason['rule']}; {reason['source']}]"
            yield f"  {hop['from']} → {hop['to']}, {hop['kind']}: {said}"
        yield from (f"    before it: {gate['text']} [{gate['id']}]" for gate in hop["gates"])
    for each in route["refused"]:
        yield f"  avoided: {each['from']} → {each['to']}: {each['text']} [{each['rule']}; {each['source']}]"


def _stop_lines(stop: Document, group: str) -> Iterator[str]:
    name = " ".join(filter(None, (stop["kind"], stop["id"])))
    since = f" since {stop['since']}" if stop["since"] else ""
    yield f"{name}{since}, {stop['reason']}: {stop['text']}"
    yield f"  hint: {stop['hint']}"
    yield f"  who: {WORDS[Who(stop['who'])]}"
    if stop["kind"] == "halt":
        yield f"  then: `reconciler retry {group}` tries again; `reconciler clear-halt {stop['id']}` ends the halt"
