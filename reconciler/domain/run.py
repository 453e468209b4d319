"""What the journal tells of runs, halts and holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.domain.approval import Approval
from reconciler.domain.outcome import Done, Outcome
from reconciler.domain.plan import Plan, Step
from reconciler.domain.procedure import PREPARING, Phase
from reconciler.domain.sums import NOTHING, Sums


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a step; `outcome` is None while nobody has settled it.

    `ended_with` is the number of the journal's entry that says how it ended.
    """

    number: int
    at: datetime
    epoch: int
    outcome: Outcome | None = None
    ended_at: datetime | None = None
    given_up: bool = False  # somebody said retry: this attempt no longer counts
    ended_with: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One carrying-out of a plan. `back` are the steps that undo it, since it was turned back for `back_reason`.

    `began_with` and `ended_with` are the numbers of the journal's entries that say so, 0 for none. By these it is known
    what came after what, and whether somebody has looked since: a clock may be set back in between.
    """

    id: str
    plan: Plan
    started_at: datetime
    attempts: Mapping[str, tuple[Attempt, ...]] = field(default_factory=dict)
    back: tuple[Step, ...] | None = None
    back_reason: str = ""
    ended: str = ""  # done | backed_out | superseded | dropped | failed | abandoned
    ended_at: datetime | None = None
    began_with: int = 0
    ended_with: int = 0

    @property
    def group(self) -> str:
        """Return the group that the run is of."""
        return self.plan.group

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return the steps that are being carried out: the plan's, or those that take it back."""
        return self.plan.steps if self.back is None else self.back

    @property
    def going_back(self) -> bool:
        """Tell whether the run moves away from its goal."""
        return self.back is not None or self.plan.direction == "back"

    @property
    def preparing(self) -> bool:
        """Tell whether nothing that serves was touched yet."""
        begun = (step for step in self.plan.steps if self.attempted(step.id))
        return self.back is None and all(step.phase in PREPARING for step in begun)

    @property
    def prepared(self) -> bool:
        """Tell whether all is prepared, or nothing had to be, and nothing that serves was touched yet."""
        ahead = (step for step in self.plan.steps if step.phase in PREPARING)
        return self.preparing and all(self.done(step.id) or step.advisory for step in ahead)

    @property
    def rolled_with(self) -> int:
        """Return the entry by which the last host was moved, while a contract is still to come; 0 before and after."""
        contracts = (step for step in self.plan.steps if step.phase is Phase.CONTRACT)
        if self.back is not None or all(self.attempted(step.id) for step in contracts):
            return 0
        moved = [self.last(step.id) for step in self.plan.steps if step.phase is Phase.ROLL and not step.advisory]
        ends = [each.ended_with if each and isinstance(each.outcome, Done) else 0 for each in moved]
        return max(ends, default=0) if all(ends) else 0

    @property
    def look_after(self) -> int:
        """Return the entry since which the fleet must be seen: of its end, of the last host moved, or its first."""
        return self.ended_with or self.rolled_with or (self.began_with if self.prepared else 0)

    def last(self, step_id: str) -> Attempt | None:
        """Return the newest attempt that counts."""
        attempts = self.attempts.get(step_id, ())
        return attempts[-1] if attempts and not attempts[-1].given_up else None

    def attempted(self, step_id: str) -> bool:
        """Tell whether a step was ever begun."""
        return bool(self.attempts.get(step_id))

    def done(self, step_id: str) -> bool:
        """Tell whether a step is done, proved."""
        last = self.last(step_id)
        return last is not None and isinstance(last.outcome, Done)

    def values(self, step_id: str) -> Mapping[str, str]:
        """Return the values a done step left."""
        last = self.last(step_id)
        return last.outcome.values if last is not None and isinstance(last.outcome, Done) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """The machine stopped and a human must clear it by id."""

    id: str
    group: str
    reason: str
    text: str
    hint: str
    since: datetime
    inputs: str
    run: str = ""
    step: str = ""
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Suspension:
    """A human stopped the fleet (`scope` empty) or a service."""

    scope: str
    by: str
    why: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The journal, folded.

    `read` is the newest commit that was accepted and could be read; a person may accept one that cannot.
    `accepted_at` is when the newest accepted commit was.
    `trusted` is the newest accepted commit that a signature or a person let in: what it says of signers counts.
    `halts` are the open ones; `raised` remembers every halt by run, step, attempt and reason; `holds` are the
    (group, inputs) that failed; `rehearsals_asked` the services that somebody wants rehearsed and that were not yet.
    `sealed` counts the runs that are in archives only, `sums` is what they came to; those of a lost journal count too.
    """

    accepted: str = ""
    accepted_at: datetime | None = None
    read: str = ""
    trusted: str = ""
    runs: tuple[Run, ...] = ()
    halts: tuple[Halt, ...] = ()
    raised: frozenset[tuple[str, str, int, str]] = frozenset()
    holds: frozenset[tuple[str, str]] = frozenset()
    suspensions: tuple[Suspension, ...] = ()
    approvals: tuple[Approval, ...] = ()
    rehearsals_asked: tuple[str, ...] = ()
    halts_raised: int = 0
    refused: str = ""
    sealed: int = 0
    sums: Sums = NOTHING

    @property
    def begun(self) -> int:
        """Return how many runs were ever begun: the number of the next one is higher, whatever was sealed."""
        return self.sealed + len(self.runs)

    def open_run(self, group: str) -> Run | None:
        """Return the run of a group that has not ended; there is one at most."""
        return next((run for run in reversed(self.runs) if run.group == group and not run.ended), None)

    def completed(self, group: str) -> tuple[Run, ...]:
        """Return the forward runs of a group that stand: not undone and not taken over since, oldest first.

        Nothing leads back over a run that was abandoned: what people did then is in no journal.
        """
        over = {run.plan.undoes for run in self.runs if run.plan.direction == "back" and run.ended == "done"}
        over |= {run.plan.inherits for run in self.runs if run.ended != "dropped"}
        undone = {each.id for run in self.runs if run.id in over for each in self.chain(run)}
        walls = [place for place, run in enumerate(self.runs) if run.group == group and run.ended == "abandoned"]
        return tuple(
            run
            for run in self.runs[max(walls, default=-1) + 1 :]
            if run.group == group
            and run.ended in {"done", "superseded"}
            and run.plan.direction == "forward"
            and run.id not in undone
        )

    def superseded(self, group: str) -> Run | None:
        """Return the run whose leg is open and waits to be taken over."""
        ended = [run for run in self.completed(group) if run.ended == "superseded"]
        return ended[-1] if ended else None

    def open_legs(self) -> tuple[Run, ...]:
        """Return the runs of all groups whose leg is open: not ended, or superseded and not taken over since."""
        waiting = {run.id for group in {run.group for run in self.runs} if (run := self.superseded(group))}
        return tuple(run for run in self.runs if not run.ended or run.id in waiting)

    def chain(self, run: Run) -> tuple[Run, ...]:
        """Return a run with those whose open leg it took over, newest first."""
        parent = next((each for each in self.runs if each.id == run.plan.inherits), None)
        return (run,) if parent is None else (run, *self.chain(parent))

    def halts_of(self, group: str) -> tuple[Halt, ...]:
        """Return the open halts of a group."""
        return tuple(halt for halt in self.halts if halt.group == group)
