"""A route from release to release, with the reasons of every hop and of every hop refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reconciler.domain.rule import Need, RuleKind


class RoutePolicy(StrEnum):
    """Which hops may be taken: what upstream supports, or what the code accepts with services stopped."""

    SUPPORTED = "supported"
    OFFLINE = "offline"


class EdgeVerdict(StrEnum):
    """What the code of a hop's end does with the schema of its start, services stopped."""

    OK = "ok"
    REFUSED = "refused"
    """It stops with a clean error: nothing was changed."""
    POISONS = "poisons"
    """It fails and leaves the database damaged: a restore is needed."""
    SILENT = "silent"
    """It exits well, and data or schema work is lost."""
    GATED = "gated"
    """It needs what only the code of a release in between can do."""


VERDICTS = {
    RuleKind.COLLAPSED: EdgeVerdict.REFUSED,
    RuleKind.FORBIDDEN: EdgeVerdict.REFUSED,
    RuleKind.POISONS: EdgeVerdict.POISONS,
    RuleKind.SILENT: EdgeVerdict.SILENT,
    RuleKind.GATE: EdgeVerdict.GATED,
}
"""The verdict on an edge that a rule of that kind refuses."""


class HopKind(StrEnum):
    """What admits a hop."""

    SEQUENTIAL = "sequential"
    SLURP = "slurp"
    SKIP = "skip"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why: the id of a rule, its sentence, and where the fact comes from."""

    rule: str
    text: str
    source: str

    def as_json(self) -> dict[str, str]:
        """Return the reason as plain JSON data."""
        return {"rule": self.rule, "text": self.text, "source": self.source}


@dataclass(frozen=True, slots=True, kw_only=True)
class HopGate:
    """A condition that must hold before the hop's schema step; `needs` names another component, if any."""

    id: str
    text: str
    needs: Need | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One allowed edge; the last reason says why the route stops at its end, unless that is the goal."""

    start: str
    goal: str
    kind: HopKind
    reasons: tuple[Reason, ...]
    gates: tuple[HopGate, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the hop in the shape of the `route` contract."""
        return {
            "from": self.start,
            "to": self.goal,
            "kind": self.kind.value,
            "reasons": [reason.as_json() for reason in self.reasons],
            "gates": [{"id": gate.id, "text": gate.text} for gate in self.gates],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An edge that may not be taken, and why; `verdict` is None where no rule tells what the code would do."""

    start: str
    goal: str
    reason: Reason
    verdict: EdgeVerdict | None = None

    def as_json(self) -> dict[str, str | None]:
        """Return the refusal in the shape of the `route` contract."""
        return {
            "from": self.start,
            "to": self.goal,
            **self.reason.as_json(),
            "verdict": self.verdict and self.verdict.value,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The hops from `start` to `goal`; without hops either nothing is to be done or there is no way.

    `equals` are other routes as short, `refused` the straighter edges avoided, or what stands in the way.
    """

    service: str
    start: str
    goal: str
    policy: RoutePolicy
    hops: tuple[Hop, ...] = ()
    equals: tuple[tuple[str, ...], ...] = ()
    refused: tuple[Refusal, ...] = ()

    @property
    def found(self) -> bool:
        """Whether the goal can be reached; true as well when it is the start."""
        return bool(self.hops) or self.start == self.goal

    @property
    def stops(self) -> tuple[str, ...]:
        """Every release on the way, with start and goal; empty when there is no way."""
        return (self.start, *(hop.goal for hop in self.hops)) if self.found else ()

    def as_json(self) -> dict[str, Any]:
        """Return the route in the shape of the `route` contract."""
        return {
            "service": self.service,
            "from": self.start,
            "to": self.goal,
            "policy": self.policy.value,
            "hops": [hop.as_json() for hop in self.hops],
            "equals": [list(stops) for stops in self.equals],
            "refused": [refusal.as_json() for refusal in self.refused],
        }
