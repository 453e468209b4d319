"""Judges an open run: end, turn, halt, wait or go on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from reconciler.domain.journal import Draft, Kind
from reconciler.domain.outcome import Failed, Lost
from reconciler.domain.plan import Step
from reconciler.domain.procedure import Phase
from reconciler.domain.reasons import Reason
from reconciler.domain.run import Halt, Run
from reconciler.domain.verdict import Decision, Ready, State
from reconciler.planning.again import asked_again
from reconciler.planning.availability import spared
from reconciler.planning.claims import astray, claimed_by, left_behind
from reconciler.planning.decision import by_words, claimed, halted, ruling, suspended
from reconciler.planning.gated import Held, held_at_a_gate
from reconciler.planning.newer import ended, overtaken, unheard
from reconciler.planning.position import held_back
from reconciler.planning.quarantine import away, hosts_of
from reconciler.planning.retention import with_files
from reconciler.planning.scene import Scene
from reconciler.planning.set_aside import Passing, set_aside
from reconciler.planning.settled import OF_ONE_HOST, Settled
from reconciler.planning.trouble import (
    Trouble,
    age_s,
    halt,
    late,
    may_turn_back,
    raised,
    reason_of,
    troubles_of,
    turn,
)
from reconciler.planning.values import with_values


@dataclass(frozen=True, slots=True)
class OpenRun:
    """Judges one open run."""

    run: Run
    scene: Scene
    aside: frozenset[str] = field(init=False)
    passing: Passing = field(init=False)
    away: frozenset[str] = field(init=False)
    settled: Settled = field(init=False)

    def __post_init__(self) -> None:
        """See which hosts failed and stop nobody else, and which are in quarantine."""
        object.__setattr__(self, "away", away(self.scene.desired))
        object.__setattr__(self, "settled", Settled(self.run, self.away))
        object.__setattr__(self, "aside", set_aside(self.run, self.scene))
        object.__setattr__(self, "passing", Passing(self.run, self.aside, self.settled))

    def decide(self) -> Decision:
        """Return, in this order of weight: end, turn, halt, wait, go on."""
        run = self.run
        running = self._running()
        if lost := astray(run, self.scene.desired):
            return self._astray(lost, running)
        if troubled := self._in_trouble(running):
            return troubled
        if changed := overtaken(run, running, self.scene):
            return changed
        if slow := self._slow(running):
            return slow
        if all(self.settled(step.id) for step in run.steps):
            return self._end()
        return self._go_on(running)

    def standing_still(self, decision: Decision) -> Decision:
        """Begin nothing, for a reason that is not the run's, and follow what runs."""
        return self._still(decision, self._adopted(self._running()))

    def _running(self) -> tuple[Step, ...]:
        """Return what runs; of a quarantined host nobody waits for what is its own, nor for anything once it is off.

        One that still answers may still change what others live on, a database above all, whatever was said of it.
        """
        open_ = (step for step in self.run.steps if (last := self.run.last(step.id)) and last.outcome is None)
        off = self.away & self.scene.unseen
        return tuple(step for step in open_ if step.host not in (self.away if step.kind in OF_ONE_HOST else off))

    # -------------------------------------------------- trouble

    def _in_trouble(self, running: Sequence[Step]) -> Decision | None:
        """See to what ended badly: first to what was not told of, and to hosts that are set aside last."""
        troubles = tuple(each for each in troubles_of(self.run) if each[0].host not in self.away)
        if self.run.plan.direction == "rehearse":
            return self._rehearsed_badly(troubles, running)
        if stopping := [each for each in troubles if each[0].host not in self.aside]:
            return self._troubled(next(filter(self._untold, stopping), stopping[0]), running)
        aside = next(filter(self._untold, troubles), None)
        return self._told(aside, running) if aside else None

    def _troubled(self, trouble: Trouble, running: Sequence[Step]) -> Decision:
        """Halt once for this attempt; turn back when only the canary has moved, else hold in place.

        What still runs beside it is followed to its end first: its undo must not overtake it.
        """
        step, outcome, attempt = trouble
        run, scene = self.run, self.scene
        reason = reason_of(run, step, outcome)
        drafts = []
        if not raised(run, step, attempt, reason, scene):
            drafts.append(halt(run, trouble, reason, scene))
        if not running and not run.going_back and may_turn_back(run, step, scene):
            drafts.append(turn(run, f"{step.title}: {outcome.text}", scene))
        if not drafts:
            return self._after_halt(running)
        decision = ruling(run.group, State.HALTED, reason, f"{_words(step)}: {outcome.text}")
        return self._still(replace(decision, drafts=tuple(drafts)), self._adopted(running))

    def _rehearsed_badly(self, troubles: Sequence[Trouble], running: Sequence[Step]) -> Decision | None:
        """Clear a rehearsal away that failed, which halts nothing; where that fails too, leave it."""
        if not troubles:
            return None
        step, outcome, _ = troubles[0]
        text = f"{_words(step)}: {outcome.text}"
        decision = ruling(self.run.group, State.BACKING_OUT, Reason(outcome.reason), text, self.run.id)
        if running:
            return self._still(decision, self._adopted(running))
        end = Draft(Kind.RUN_ENDED, group=self.run.group, run=self.run.id, body={"result": "failed"})
        draft = end if self.run.going_back else turn(self.run, text, self.scene)
        return replace(decision, drafts=(draft,), plan=self.run.plan)

    def _untold(self, trouble: Trouble) -> bool:
        step, outcome, attempt = trouble
        return not raised(self.run, step, attempt, reason_of(self.run, step, outcome), self.scene)

    def _told(self, trouble: Trouble, running: Sequence[Step]) -> Decision:
        """Halt over a host that is set aside; the next pass goes on with the others."""
        step, outcome, _ = trouble
        reason = reason_of(self.run, step, outcome)
        decision = ruling(self.run.group, State.HALTED, reason, f"{_words(step)}: {outcome.text}", self.run.id)
        drafts = (halt(self.run, trouble, reason, self.scene),)
        return self._still(replace(decision, drafts=drafts), self._adopted(running))

    def _slow(self, running: Sequence[Step]) -> Decision | None:
        """Halt once for a step that runs longer than its timeout, and follow it on."""
        trouble = late(self.run, running, self.scene)
        if trouble is None or self.run.plan.direction == "rehearse":
            return None
        draft = halt(self.run, trouble, Reason.STEP_SLOW, self.scene)
        decision = ruling(self.run.group, State.HALTED, Reason.STEP_SLOW, str(draft.body["text"]))
        return replace(decision, drafts=(draft,), plan=self.run.plan)

    def _after_halt(self, running: Sequence[Step]) -> Decision:
        """Say what holds a run whose halt was raised before: the open halt, or the hold that outlives it."""
        halts = self.scene.history.halts_of(self.run.group)
        if changed := overtaken(self.run, running, self.scene):
            return changed
        if halts:
            return self._still(halted(self.run.group, halts), self._adopted(running))
        text = "a step failed; the halt was cleared but nobody said retry"
        decision = ruling(self.run.group, State.BLOCKED, Reason.HELD, text, self.run.id)
        return self._still(decision, self._adopted(running))

    def _astray(self, services: Sequence[str], running: Sequence[Step]) -> Decision:
        """Stand still while a commit leaves out services whose leg is open; drop what has not begun."""
        if not running and self.run.preparing:
            return ended(self.run, "dropped", self.scene)
        text = left_behind(self.run, services)
        decision = ruling(self.run.group, State.BLOCKED, Reason.OPEN_LEG, text, self.run.id)
        return self._still(decision, self._adopted(running))

    # -------------------------------------------------- going on

    def _end(self) -> Decision:
        result = "backed_out" if self.run.back is not None else "done"
        end = Draft(Kind.RUN_ENDED, group=self.run.group, run=self.run.id, body={"result": result})
        text = "the leg is taken back" if self.run.going_back else "the leg is done"
        decision = ruling(self.run.group, State.PROGRESSING, Reason.STEP_RUNNING, text, self.run.id)
        return replace(decision, drafts=(end,))

    def _go_on(self, running: Sequence[Step]) -> Decision:
        run, adopted = self.run, self._adopted(running)
        if stopped := self._stopped():
            return self._still(stopped, adopted)
        newer = bool(running) and unheard(run, self.scene)
        fresh = [step for step in run.steps if self._may_start(step) and not (newer and _ends_all(step))]
        next_ = asked_again(run, self.scene.now) or fresh
        held = held_at_a_gate(run.plan, self.scene, run, wave=self._new_wave(next_))
        open_ = [step for step in next_ if held is None or held.lets(step)]
        may, short = (tuple(open_), ()) if run.going_back else spared(open_, self.scene)
        ready = tuple(map(self._ready, may))
        active = [*running, *(each.step for each in ready)]
        if short and not active:
            text = "; ".join(each.text for each in short)
            return self._still(ruling(run.group, State.WAITING, Reason.UNAVAILABLE, text, run.id), ())
        if waiting := self._waiting(held, active):
            return self._still(waiting, ())
        state = State.BACKING_OUT if run.going_back else State.PROGRESSING
        reason = Reason.BACKING_OUT if run.going_back else Reason.STEP_RUNNING
        text = "; ".join(_words(step) for step in active[:3]) or "waiting for steps"
        phase = str(active[0].phase) if active else ""
        decision = ruling(run.group, state, reason, text, run.id)
        verdict = replace(decision.verdict, phase=phase)
        return replace(decision, verdict=verdict, ready=(*adopted, *ready), plan=run.plan)

    def _new_wave(self, next_: Sequence[Step]) -> int:
        """Return the wave that would begin: the last of those of which no step was begun yet, 0 where none would."""
        begun = {step.wave for step in self.run.steps if step.phase is Phase.ROLL and self.run.attempted(step.id)}
        return max((step.wave or 0 for step in next_ if step.phase is Phase.ROLL and step.wave not in begun), default=0)

    def _stopped(self) -> Decision | None:
        """Say who or what stopped it: a person, or a halt that is of more than hosts set aside."""
        if suspension := suspended(self.run.group, self.scene):
            return ruling(self.run.group, State.SUSPENDED, Reason.SUSPENDED, by_words(suspension))
        halts = [each for each in self.scene.history.halts_of(self.run.group) if not self._of_one_aside(each)]
        return halted(self.run.group, halts) if halts and not self.run.going_back else None

    def _waiting(self, held: Held | None, active: Sequence[Step]) -> Decision | None:
        """Say what it waits for before its pause, or when nothing may begin."""
        if held and not active:
            return held.decision
        if self.run.prepared and (other := claimed_by(self.run.plan, self.scene)):
            return claimed(self.run.plan, other, self.run.id)
        if active:
            return None
        if self.aside:
            return self._all_but(self.scene.history.halts_of(self.run.group))
        if missing := self.settled.missing:
            return self._gone(missing[0])
        contract = next(filter(self._not_survived, self.run.steps), None)
        return self._behind(contract) if contract else None

    def _gone(self, step: Step) -> Decision:
        text = f"{step.host} is in quarantine, and nobody can go on without its part: {step.title}"
        return ruling(self.run.group, State.BLOCKED, Reason.QUARANTINED, text, self.run.id)

    def _of_one_aside(self, found: Halt) -> bool:
        """Tell whether a halt is over a host that was set aside in this run."""
        return found.run == self.run.id and found.step.rpartition("@")[2] in self.aside

    def _all_but(self, halts: Sequence[Halt]) -> Decision:
        """Say that all has moved that may, and which hosts keep the leg from its end."""
        if halts:
            return halted(self.run.group, halts)
        text = f"{', '.join(sorted(self.aside))} failed and was set aside; the halt was cleared but nobody said retry"
        return ruling(self.run.group, State.BLOCKED, Reason.HELD, text, self.run.id)

    def _still(self, decision: Decision, adopted: tuple[Ready, ...]) -> Decision:
        """Start nothing, but keep following what runs on hosts."""
        return replace(decision, ready=adopted, plan=self.run.plan)

    def _adopted(self, running: Sequence[Step]) -> tuple[Ready, ...]:
        return tuple(self._adopt(step) for step in running)

    def _adopt(self, step: Step) -> Ready:
        last = self.run.last(step.id)
        assert last is not None
        age = age_s(last, self.scene)
        ready = Ready(run=self.run.id, step=step, attempt=last.number, adopt=True, epoch=last.epoch, age_s=age)
        return self._with_values(ready)

    def _ready(self, step: Step) -> Ready:
        attempt = len(self.run.attempts.get(step.id, ())) + 1
        return self._with_values(Ready(run=self.run.id, step=step, attempt=attempt))

    def _with_values(self, ready: Ready) -> Ready:
        """Fill what earlier steps left, those of an undone run too, and what is due when the step begins."""
        history, service = self.scene.history, self.scene.desired.services.get(ready.step.service)
        undone = [run for run in history.runs if run.id == self.run.plan.undoes]
        runs = [each for run in (self.run, *undone) for each in history.chain(run)]
        step = with_files(ready.step, history, self.scene.now)
        found = with_values(step, runs, service.bootstrap if service else "")
        return replace(ready, failed=found) if isinstance(found, Failed) else replace(ready, step=found)

    def _may_start(self, step: Step) -> bool:
        last = self.run.last(step.id)
        if step.host in self.away:
            return False
        fresh = last is None or (isinstance(last.outcome, Lost) and not self.settled(step.id))
        return fresh and self.passing.may_begin(step) and not self._not_survived(step)

    def _not_survived(self, step: Step) -> tuple[str, ...]:
        """Return the hosts that a step would break: those that stay at the release it does away with."""
        service = self.scene.desired.services.get(step.service)
        if step.phase is not Phase.CONTRACT or service is None:
            return ()
        return (*held_back(service), *hosts_of(step.service, self.scene.desired))

    def _behind(self, step: Step) -> Decision:
        hosts = ", ".join(self._not_survived(step))
        text = f"{step.title} would break {hosts}, held back by an override or in quarantine"
        return ruling(self.run.group, State.BLOCKED, Reason.OVERRIDE_IN_THE_WAY, text, self.run.id)


def _ends_all(step: Step) -> bool:
    """Tell whether a step is one before which a newer commit is heard: it would break what that commit may want."""
    return step.phase is Phase.CONTRACT or step.point_of_no_return


def _words(step: Step) -> str:
    return f"{step.title} on {step.host}" if step.host else step.title
