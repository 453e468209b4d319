"""The JSON contracts of what may be asked without a daemon: route, identify and plan."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict


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
        "kind": Literal["sequential", "slurp", "skip", "direct"],
        "reasons": list[Reason],
        "gates": list[Gate],
    },
)
Refused = TypedDict(
    "Refused",
    {
        "from": str,
        "to": str,
        "rule": str,
        "text": str,
        "source": str,
        "verdict": Literal["refused", "poisons", "silent", "gated"] | None,
    },
)
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
