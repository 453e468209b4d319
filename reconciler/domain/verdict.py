"""The outcome of a pass, per group and as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from reconciler.domain.desired import Desired
from reconciler.domain.journal import Draft
from reconciler.domain.observation import Observations
from reconciler.domain.outcome import Failed
from reconciler.domain.plan import Block, Plan, Step
from reconciler.domain.position import Position
from reconciler.domain.revision import SourceState
from reconciler.domain.run import History
from reconciler.domain.stall import Stall


class State(StrEnum):
    """The closed set of verdicts."""

    IN_SYNC = "InSync"
    PROGRESSING = "Progressing"
    WAITING = "Waiting"
    BLOCKED = "Blocked"
    SUSPENDED = "Suspended"
    BACKING_OUT = "BackingOut"
    HALTED = "Halted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a group stands. `blocks` are all reasons when there is more than the first."""

    group: str
    state: State
    reason: str
    text: str
    hint: str = ""
    phase: str = ""
    run: str = ""
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A step that may start now, or be taken up again, under its run and attempt.

    `failed` says why it cannot even be begun: then it fails without an effect. Of a step that is taken up again,
    `epoch` is that of its intent, and `age_s` how long ago that was by the wall clocks of then and now; `before` is a
    step, with its attempt, that its host has done earlier in the run and must still know of.
    """

    run: str
    step: Step
    attempt: int
    adopt: bool = False  # the intent is in the journal already
    epoch: int = 0
    age_s: float = 0.0
    failed: Failed | None = None
    before: tuple[Step, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What judgement says of a group: first `drafts` go into the journal, then `ready` steps may start."""

    verdict: Verdict
    drafts: tuple[Draft, ...] = ()
    ready: tuple[Ready, ...] = ()
    plan: Plan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a pass found and decided; `revision` is the commit in force."""

    at: datetime
    source: SourceState
    revision: str
    desired: Desired | None
    observations: Observations
    positions: tuple[Position, ...] = ()
    decisions: tuple[Decision, ...] = ()
    history: History = field(default_factory=History)
    problems: tuple[Block, ...] = ()
    stalls: tuple[Stall, ...] = ()

    @property
    def busy(self) -> bool:
        """Tell whether something runs or may start."""
        moving = {State.PROGRESSING, State.BACKING_OUT}
        return any(decision.verdict.state in moving or decision.ready for decision in self.decisions)

    @property
    def in_sync(self) -> bool:
        """Tell whether every group is where it should be."""
        return bool(self.decisions) and all(d.verdict.state is State.IN_SYNC for d in self.decisions)
