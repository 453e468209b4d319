"""Procedures: how a leg is carried out, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Phase(StrEnum):
    """The phases of design.md, in no order: a procedure brings its own."""

    PREFLIGHT = "preflight"
    PREPARE = "prepare"
    QUIESCE = "quiesce"
    BACKUP = "backup"
    LOAD = "load"
    MIGRATE = "migrate"
    ROLL = "roll"
    BACKFILL = "backfill"
    CUTOVER = "cutover"
    CONTRACT = "contract"
    RETIRE = "retire"
    FINISH = "finish"
    BACK_OUT = "back-out"  # never in a procedure: the steps that take a leg back


PREPARING = frozenset({Phase.PREFLIGHT, Phase.PREPARE})
"""The phases in which nothing that serves is touched."""


class Selector(StrEnum):
    """On what a phase's steps are done; `role`, `service` and `deployment` are followed by a name."""

    BOOTSTRAP = "bootstrap"  # the one host that runs schema commands
    WAVE = "wave"  # every host that moves, wave by wave, canary first
    FIRST = "first"  # wave 0's host: the canary
    OTHERS = "others"  # the hosts that move, but for wave 0's
    ROLE = "role"  # the service's hosts with a role
    SERVICE = "service"  # the hosts of another service of the group
    DEPLOYMENT = "deployment"  # the hosts of the old or the new deployment
    MOVED = "moved"  # the hosts that roll phases further up have moved
    PENDING = "pending"  # the hosts that move, but were not moved yet
    FLEET = "fleet"  # every host that moves, all at once
    DAEMON = "daemon"  # nowhere: a question the daemon asks
    PERSON = "person"  # nowhere: somebody does it, and a probe proves it


class When(StrEnum):
    """When an action is there at all; `to` is followed by a release."""

    ALWAYS = ""
    ONTO = "onto"  # where a host has moved just before: not for the first one
    APPEARS = "appears"  # where the goal of the hop is the first release that has the action's database
    FIRST_HOP = "first_hop"
    LAST_HOP = "last_hop"
    TO = "to"  # on the hop, or leg, that ends at a release
    SERVICE = "service"  # for that service alone, where several go together


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A word of `When`, and the release that `to`, or the service that `service` names."""

    when: When = When.ALWAYS
    subject: str = ""


@dataclass(frozen=True, slots=True)
class CutsLink:
    """Says that a step may cut off the host that it runs on, and what argv brings it back.

    The host runs `revert` by itself when the daemon has not come anew within `within_s` after the end of the step.
    While the step is taken back it runs `again` instead, which brings back what the step made; empty: `revert` too.
    """

    revert: tuple[str, ...]
    within_s: float
    again: tuple[str, ...] = ()

    def undone(self, *, done: bool) -> CutsLink:
        """Return the guard of what takes the step back: it brings back what stood before that, done or not."""
        return CutsLink((done and self.again) or self.revert, self.within_s)


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One thing to do. `action` is a word of planning/actions or a direct step kind; `args` are its own.

    `name` tells it from others, and is what `{value:NAME.KEY}` refers to; `title` takes the place of the kind's own.
    What is not `required` only advises: a failure is told and does not stop the leg.
    """

    action: str
    args: Mapping[str, object] = field(default_factory=dict)
    name: str = ""
    title: str = ""
    condition: Condition = Condition()
    required: bool = True
    cuts_link: CutsLink | None = None


@dataclass(frozen=True, slots=True)
class PhaseSpec:
    """One phase of a procedure: `each` leg or hop, `on` a selector, its steps in order.

    `subject` is the name after the selector. `rolling` puts hosts that would go side by side one after the other.
    """

    phase: Phase
    each: str  # leg | hop
    on: Selector
    steps: tuple[ActionSpec, ...]
    subject: str = ""
    rolling: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSpec:
    """A probe with a span of phases: begun before the first, asked after each, ended after the last."""

    name: str
    probe: ActionSpec
    first: Phase
    last: Phase
    on: Selector
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Procedure:
    """A named way to carry out legs; `leg` says how much of a route one leg covers: route | hop."""

    name: str
    text: str
    leg: str
    phases: tuple[PhaseSpec, ...]
    watches: tuple[WatchSpec, ...] = ()

    def has(self, phase: Phase) -> bool:
        """Tell whether a phase of this kind is among its phases."""
        return any(each.phase is phase for each in self.phases)
