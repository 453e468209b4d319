"""The JSON contracts of the command line as types; `schemas/` is generated from them.

A key that is not named here is not printed: the schemas are closed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from reconciler.planning.observed_json import ObservedFile

DRAFT = "https://json-schema.org/draft/2020-12/schema"


class Reason(TypedDict):
    """A rule of the catalog, what it says, and where the fact comes from."""

    rule: str
    text: str
    source: str


class Gate(TypedDict):
    """A condition before the hop."""

    id: str
    text: str


Hop = TypedDict(
    "Hop",
    {
        "from": str,
        "to": str,
        "kind": Literal["sequential", "slurp", "direct"],
        "reasons": list[Reason],
        "gates": list[Gate],
    },
)
Refused = TypedDict("Refused", {"from": str, "to": str, "rule": str, "text": str, "source": str})
Route = TypedDict(
    "Route",
    {
        "service": str,
        "from": str,
        "to": str,
        "policy": Literal["supported", "offline"],
        "hops": list[Hop],
        "equals": list[list[str]],
        "refused": list[Refused],
    },
)


class Marker(TypedDict):
    """The version tables; null: there is no such table, or it was not read (then `tables` is null too)."""

    alembic: list[str] | None
    migrate: dict[str, int] | None
    tables: int | None


class Identified(TypedDict):
    """One database: `releases` are all whose schema it shows."""

    marker: Marker
    releases: list[str]
    state: Literal["at", "between", "unknown", "empty"]
    text: str


class Identify(TypedDict):
    """`reconciler identify`: `releases` are those that all databases allow."""

    service: str
    databases: dict[str, Identified]
    releases: list[str]


class Block(TypedDict):
    """Why something may not go on until facts change."""

    reason: str
    text: str
    hint: str


PlanService = TypedDict("PlanService", {"service": str, "from": str, "to": str, "route": list[str]})


class PlanOf(TypedDict):
    """The plan of one group: the next leg of each service, or what blocks it."""

    id: str
    group: str
    services: list[PlanService]
    blocked: list[Block]


class Step(TypedDict):
    """One step; `after` are ids of steps of the same plan."""

    id: str
    plan: str
    kind: str
    phase: str
    service: str
    hop: str
    host: str
    after: list[str]
    point_of_no_return: bool
    title: str


class Plan(TypedDict):
    """`reconciler plan`."""

    changes: bool
    plans: list[PlanOf]
    steps: list[Step]


class Steps(TypedDict):
    """How far the open run is; 0 of 0 without one."""

    done: int
    of: int


Verdict = Literal["", "InSync", "Progressing", "Waiting", "Blocked", "Suspended", "BackingOut", "Halted"]


class StatusService(TypedDict):
    """One service: `position` is empty when it cannot be told, `phase` and `run` without a run; `since` is ISO 8601."""

    service: str
    group: str
    desired: str
    position: str
    phase: str
    verdict: Verdict
    reason: str
    text: str
    hint: str
    run: str
    since: str
    steps: Steps


class Halt(TypedDict):
    """An open halt; `scope` is the group."""

    id: str
    scope: str
    reason: str
    text: str
    hint: str
    since: str


class Hosts(TypedDict):
    """Hosts that answered the newest look, those of which nobody can tell, and all."""

    known: int
    unknown: int
    total: int


class Suspension(TypedDict):
    """A suspension by command; an empty `scope` is the whole fleet."""

    scope: str
    by: str
    why: str
    since: str


class Source(TypedDict):
    """How the repository stands; `problem` is empty when the newest commit `head` is in force."""

    problem: str
    text: str
    hint: str
    head: str


class Status(TypedDict):
    """`reconciler status`."""

    revision: str
    fleet: str
    at: str
    services: list[StatusService]
    halts: list[Halt]
    hosts: Hosts
    suspensions: list[Suspension]
    source: Source
    problems: list[Block]


class DiffDatabase(TypedDict):
    """A database; `unknown` is a reason code when nobody can tell."""

    name: str
    releases: list[str]
    text: str
    differs: bool
    unknown: str


class DiffHost(TypedDict):
    """A host; `drift` are sentences, `unknown` says why nobody can tell."""

    host: str
    desired: str
    release: str
    differs: bool
    drift: list[str]
    unknown: str


class DiffService(TypedDict):
    """A service with its targets."""

    service: str
    desired: str
    position: str
    differs: bool
    unknown: bool
    databases: list[DiffDatabase]
    hosts: list[DiffHost]
    blocks: list[Block]


class _Diff(TypedDict):
    revision: str
    differs: bool
    unknown: bool
    services: list[DiffService]


class Diff(_Diff, total=False):
    """`reconciler diff`; `at` when it is the daemon's."""

    at: str


class HistoryEntry(TypedDict):
    """An entry of the journal; `hash` is over all other fields, `prev` the hash of its predecessor."""

    seq: int
    at: str
    kind: str
    group: str
    run: str
    step: str
    body: dict[str, Any]
    prev: str
    hash: str


class History(TypedDict):
    """`reconciler history`; `head` is the newest hash."""

    verified: bool
    total: int
    head: str
    entries: list[HistoryEntry]


CONTRACTS: Mapping[str, tuple[str, Any]] = {
    "route": ("reconciler route -o json", Route),
    "identify": ("reconciler identify -o json", Identify),
    "plan": ("reconciler plan -o json", Plan),
    "status": ("reconciler status -o json", Status),
    "observe": ("reconciler observe -o json", ObservedFile),
    "diff": ("reconciler diff -o json", Diff),
    "history": ("reconciler history -o json", History),
}


def contract_files() -> dict[str, str]:
    """Return file name to text of every contract's schema; equal types give equal bytes."""
    return {f"{name}.json": _text(name, title, form) for name, (title, form) in CONTRACTS.items()}


def _text(name: str, title: str, form: Any) -> str:  # noqa: ANN401 - a type
    body = _closed(TypeAdapter(form).json_schema())
    schema = {"$schema": DRAFT, "$id": f"reconciler/{name}.json", **body, "title": title}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _closed(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Allow no other keys, and drop titles, which say nothing."""
    if isinstance(value, list):
        return [_closed(each) for each in value]
    if not isinstance(value, dict):
        return value
    closed = {key: _closed(each) for key, each in value.items() if not (key == "title" and isinstance(each, str))}
    if "properties" in closed:
        closed["additionalProperties"] = False
    return closed
