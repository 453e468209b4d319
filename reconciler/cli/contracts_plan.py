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


class Block(TypedDict):
    """Why something may not go on until facts change."""

    reason: str
    text: str
    hint: str


PlanService = TypedDict("PlanService", {"service": str, "from": str, "to": str, "route": list[str]})


class Wave(TypedDict):
    """Hosts of one service that move together; wave 0 is the canary.

    `leads` is the role that its only host is the canary of, empty where the service has but one, and for other waves.
    """

    service: str
    wave: int
    leads: str
    hosts: list[str]


class Pause(TypedDict):
    """The longest chain of steps between a service's first stop and its return, by ids; `service` empty: the group.

    `measured_s` is what the measured steps of the chain take, null when none was; `unmeasured` are the others, and
    `unmeasured_beside` counts such steps beside the chain.
    """

    service: str
    chain: list[str]
    measured_s: float | None
    unmeasured: list[str]
    unmeasured_beside: int


class Undoing(TypedDict):
    """What is done alike on hosts to take steps back."""

    title: str
    hosts: list[str]


class GoingBack(TypedDict):
    """What becomes of the plan when it fails, or is reverted, between two of its steps.

    `dropped`: there is nothing to take back; `automatic`: the daemon takes it back; `by-commit`: it holds until a
    commit takes the goal back; `refused`: beyond the point of no return. `loses` are services whose data of since the
    seal would be lost, which git must accept first.
    """

    first: str
    last: str
    retreat: Literal["dropped", "automatic", "by-commit", "refused"]
    text: str
    undo: list[Undoing]
    loses: list[str]


class Wait(TypedDict):
    """A leg of another group that comes first, and the rule that says so; `others` tells that they move it."""

    group: str
    leg: int
    rule: str
    text: str
    others: bool


class PlanOf(TypedDict):
    """The plan of one leg of a group, or what blocks it; `point_of_no_return` is the id of a step or empty."""

    id: str
    group: str
    leg: int
    legs: int
    direction: Literal["forward", "back"]
    services: list[PlanService]
    blocked: list[Block]
    waits_for: list[Wait]
    waves: list[Wave]
    pauses: list[Pause]
    point_of_no_return: str
    going_back: list[GoingBack]


class Step(TypedDict):
    """One step; `after` are ids of steps of the same plan.

    `runs` and `undo_runs` are lines as a person would type them, `proved_by` and `undone_by` are sentences; `users` is
    what users notice meanwhile; `measured_s` is the median of earlier runs, null when there was none. A failed
    step that is `advisory` stops nothing.
    """

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
    wave: int | None
    where: Literal["host", "daemon", "person"]
    runs: list[str]
    proved_by: list[str]
    undone_by: str
    undo_runs: list[str]
    users: Literal["none", "degraded", "pause"]
    measured_s: float | None
    timeout_s: float
    repeatable: bool
    interruptible: bool
    advisory: bool


class Plan(TypedDict):
    """`reconciler plan`."""

    changes: bool
    plans: list[PlanOf]
    steps: list[Step]


class MergeSide(TypedDict):
    """A plan in short; `point_of_no_return` is the id of a step or empty."""

    plan: str
    services: list[PlanService]
    steps: int
    blocked: list[Block]
    point_of_no_return: str


class MergeStep(TypedDict):
    """A step in short."""

    id: str
    phase: str
    host: str
    title: str


class MergeChange(TypedDict):
    """A leg of a group whose plan differs; null: nothing to do. `altered` are steps of both that do something else."""

    group: str
    leg: int
    change: Literal["appears", "vanishes", "changes"]
    before: MergeSide | None
    after: MergeSide | None
    added: list[MergeStep]
    removed: list[MergeStep]
    altered: list[MergeStep]
    hosts_added: list[str]
    hosts_removed: list[str]


Merge = TypedDict("Merge", {"from": str, "to": str, "differs": bool, "changes": list[MergeChange]})


class StopBack(TypedDict):
    """A release of the newest leg that a commit may name as the goal: where it began, or a savepoint.

    `made_at` and `bytes` are of the dumps that would be loaded; `hops_again` lead from there to the leg's goal, whose
    schema steps took `measured_s`. What was written since `sealed_at` would be lost; empty: it has not served since.
    """

    service: str
    release: str
    savepoint: bool
    made_at: str
    bytes: int | None
    hops_again: int
    measured_s: float | None
    sealed_at: str


Rollback = TypedDict(
    "Rollback",
    {
        "service": str,
        "from": str,
        "to": str,
        "reverts": str,
        "branch": str,
        "commit": str,
        "plan": Plan | None,
        "untold": str,
        "stops": list[StopBack],
    },
)


class Steps(TypedDict):
    """How far the open run is; 0 of 0 without one."""

    done: int
    of: int
