"""Judges an open run: end, turn, halt, wait or go on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.domain.journal import Draft, Kind
from reconciler.domain.outcome import Done, Failed, Lost
from reconciler.domain.plan import Json, Step
from reconciler.domain.procedure import Phase
from reconciler.domain.reasons import Reason, hint_of
from reconciler.domain.run import Attempt, Run
from reconciler.domain.verdict import Decision, Ready, State
from reconciler.planning.claims import astray, left_behind
from reconciler.planning.decision import by_words, cleared, halted, ruling, suspended
from reconciler.planning.deployments import any_cut_over, half_way
from reconciler.planning.position import held_back
from reconciler.planning.safe_point import at_safe_point, wants_back
from reconciler.planning.scene import Scene, accepted_losses, inputs_of
from reconciler.planning.serial import step_to_json
from reconciler.planning.values import with_values
from reconciler.planning.way_back import undo_steps

MAX_ATTEMPTS = 3
"""How often a repeatable step is tried when its outcome was lost; limits are put on everything."""

Trouble = tuple[Step, Failed | Lost, int]
"""A step whose attempt of that number ended badly, and how."""


@dataclass(frozen=True, slots=True)
class OpenRun:
    """Judges one open run."""

    run: Run
    scene: Scene

    def decide(self) -> Decision:
        """Return, in this order of weight: end, turn, halt, wait, go on."""
        run = self.run
        running = self._running()
        if lost := astray(run, self.scene.desired):
            return self._astray(lost, running)
        if trouble := self._trouble():
            return self._troubled(trouble, running)
        if changed := self._inputs_changed(running):
            return changed
        if slow := self._slow(running):
            return slow
        if all(self._settled(step.id) for step in run.steps):
            return self._end()
        return self._go_on(running)

    def _running(self) -> tuple[Step, ...]:
        return tuple(
            step for step in self.run.steps if (last := self.run.last(step.id)) is not None and last.outcome is None
        )

    def _trouble(self) -> Trouble | None:
        """Return the first step whose last attempt ended badly and may not be repeated as it is."""
        for step in self.run.steps:
            last = self.run.last(step.id)
            if last is None or last.outcome is None or isinstance(last.outcome, Done):
                continue
            if step.advisory or _repeated(step, last):
                continue
            return step, last.outcome, last.number
        return None

    # -------------------------------------------------- trouble

    def _troubled(self, trouble: Trouble, running: Sequence[Step]) -> Decision:
        """Halt once for this attempt; turn back when only the canary has moved, else hold in place.

        What still runs beside it is followed to its end first: its undo must not overtake it.
        """
        step, outcome, attempt = trouble
        reason = self._reason(step, outcome)
        drafts = []
        if (self.run.id, step.id, attempt, str(reason)) not in self.scene.history.raised:
            drafts.append(self._halt(step, outcome, attempt, reason))
        if not running and not self.run.going_back and self._may_turn_back(step):
            drafts.append(self._turn(f"{step.title}: {outcome.text}"))
        if not drafts:
            return self._after_halt(running)
        decision = ruling(self.run.group, State.HALTED, reason, f"{_words(step)}: {outcome.text}")
        return self._still(replace(decision, drafts=tuple(drafts)), self._adopted(running))

    def _slow(self, running: Sequence[Step]) -> Decision | None:
        """Halt once for a step that runs longer than its timeout; it is never killed, and is followed on."""
        for step in running:
            last = self.run.last(step.id)
            assert last is not None
            late = (self.scene.now - last.at).total_seconds() > step.timeout_s
            key = (self.run.id, step.id, last.number, str(Reason.STEP_SLOW))
            if late and key not in self.scene.history.raised:
                outcome = Failed(str(Reason.STEP_SLOW), f"it runs for more than {step.timeout_s:.0f} s")
                halt = self._halt(step, outcome, last.number, Reason.STEP_SLOW)
                decision = ruling(self.run.group, State.HALTED, Reason.STEP_SLOW, str(halt.body["text"]))
                return replace(decision, drafts=(halt,), plan=self.run.plan)
        return None

    def _halt(self, step: Step, outcome: Failed | Lost, attempt: int, reason: Reason) -> Draft:
        where = f" on {step.host}" if step.host else ""
        hint = outcome.hint if isinstance(outcome, Failed) and outcome.hint else hint_of(reason, group=self.run.group)
        body: dict[str, Json] = {
            "id": f"h{self.scene.history.halts_raised + 1}",
            "scope": self.run.group,
            "reason": str(reason),
            "text": f"{step.title}{where}: {outcome.text}",
            "hint": hint,
            "inputs": self.run.plan.inputs,
            "attempt": attempt,
        }
        return Draft(Kind.HALT_RAISED, group=self.run.group, run=self.run.id, step=step.id, body=body)

    def _reason(self, step: Step, outcome: Failed | Lost) -> Reason:
        if self.run.going_back:
            known = Reason(outcome.reason)
            return known if known is Reason.WRITTEN_SINCE else Reason.BACK_OUT_FAILED
        if step.phase is Phase.ROLL and step.wave == 0:
            return Reason.CANARY_FAILED
        return Reason(outcome.reason)

    def _may_turn_back(self, failed: Step) -> bool:
        """Tell whether only wave 0 has moved and nothing stands beyond its point of no return."""
        begun = self._begun()
        beyond = any(step.point_of_no_return for step in begun)
        others_moved = any(step.phase is Phase.ROLL and (step.wave or 0) > 0 for step in begun)
        served = any_cut_over(self.run)
        return not beyond and not others_moved and not served and failed.phase is not Phase.FINISH

    def _begun(self) -> tuple[Step, ...]:
        """Return all that was begun in this leg, by this run and by those it took over."""
        chain = self.scene.history.chain(self.run)
        return tuple(step for run in chain for step in run.plan.steps if run.attempted(step.id))

    def _turn(self, text: str) -> Draft:
        chain = self.scene.history.chain(self.run)
        steps = undo_steps(chain, under=self.run.id, accept_loss=accepted_losses(self.scene))
        body: dict[str, Json] = {"text": text, "steps": [step_to_json(step) for step in steps]}
        return Draft(Kind.TURNED_BACK, group=self.run.group, run=self.run.id, body=body)

    def _after_halt(self, running: Sequence[Step]) -> Decision:
        """Say what holds a run whose halt was raised before: the open halt, or the hold that outlives it."""
        halts = self.scene.history.halts_of(self.run.group)
        if changed := self._inputs_changed(running):
            return changed
        if halts:
            return self._still(halted(self.run.group, halts), self._adopted(running))
        text = "a step failed; the halt was cleared but nobody said retry"
        decision = ruling(self.run.group, State.BLOCKED, Reason.HELD, text, self.run.id)
        return self._still(decision, self._adopted(running))

    # -------------------------------------------------- newer inputs

    def _astray(self, services: Sequence[str], running: Sequence[Step]) -> Decision:
        """Stand still while a commit leaves out services whose leg is open; drop what has not begun."""
        if not running and self._only_prepared():
            return self._ended_for_newer("dropped")
        text = left_behind(self.run, services)
        decision = ruling(self.run.group, State.BLOCKED, Reason.OPEN_LEG, text, self.run.id)
        return self._still(decision, self._adopted(running))

    def _only_prepared(self) -> bool:
        begun = [step for step in self.run.plan.steps if self.run.attempted(step.id)]
        return self.run.back is None and all(step.phase in {Phase.PREFLIGHT, Phase.PREPARE} for step in begun)

    def _inputs_changed(self, running: Sequence[Step]) -> Decision | None:
        """Follow a commit that changed the inputs, once no step runs: drop, turn back, or end at a safe point."""
        run = self.run
        if running or inputs_of(run.group, self.scene.desired) == run.plan.inputs:
            return None
        if run.back is not None:
            return self._turned_anew()
        if self._only_prepared():
            return self._ended_for_newer("dropped")
        return None if run.plan.direction == "back" else self._overtaken()

    def _overtaken(self) -> Decision | None:
        """Let newer inputs take the place of a leg forward: by going back, or from a safe point on."""
        run = self.run
        if wants_back(run, self.scene) and not any(step.point_of_no_return for step in self._begun()):
            return self._turned("a commit took the goal back")
        if half_way(run):
            return None if any_cut_over(run) else self._turned("newer inputs, and the new deployment is not live yet")
        return self._ended_for_newer("superseded") if at_safe_point(run) else None

    def _turned(self, why: str) -> Decision:
        decision = ruling(self.run.group, State.BACKING_OUT, Reason.BACKING_OUT, why, self.run.id)
        return replace(decision, drafts=(self._turn(why),), plan=self.run.plan)

    def _turned_anew(self) -> Decision | None:
        """Go back without the proof that stopped it, once a commit has accepted the loss."""
        halts = self.scene.history.halts_of(self.run.group)
        services = {route.service for route in self.run.plan.services}
        stopped_by_proof = any(halt.reason == Reason.WRITTEN_SINCE for halt in halts)
        if not stopped_by_proof or not services <= accepted_losses(self.scene):
            return None
        drafts = [cleared(halt, self.scene.history.accepted) for halt in halts]
        decision = ruling(self.run.group, State.BACKING_OUT, Reason.BACKING_OUT, "the loss is accepted", self.run.id)
        return replace(decision, drafts=(*drafts, self._turn("a commit accepted the loss")), plan=self.run.plan)

    def _ended_for_newer(self, result: str) -> Decision:
        halts = self.scene.history.halts_of(self.run.group)
        clearings = tuple(cleared(halt, self.scene.history.accepted) for halt in halts)
        ended = Draft(Kind.RUN_ENDED, group=self.run.group, run=self.run.id, body={"result": result})
        decision = ruling(self.run.group, State.WAITING, Reason.SUPERSEDED, "newer inputs take its place")
        return replace(decision, drafts=(*clearings, ended))

    # -------------------------------------------------- going on

    def _end(self) -> Decision:
        result = "backed_out" if self.run.back is not None else "done"
        ended = Draft(Kind.RUN_ENDED, group=self.run.group, run=self.run.id, body={"result": result})
        text = "the leg is taken back" if self.run.going_back else "the leg is done"
        decision = ruling(self.run.group, State.PROGRESSING, Reason.STEP_RUNNING, text, self.run.id)
        return replace(decision, drafts=(ended,))

    def _go_on(self, running: Sequence[Step]) -> Decision:
        run, going_back = self.run, self.run.going_back
        adopted = self._adopted(running)
        if suspension := suspended(run.group, self.scene):
            return self._still(ruling(run.group, State.SUSPENDED, Reason.SUSPENDED, by_words(suspension)), adopted)
        halts = self.scene.history.halts_of(run.group)
        if halts and not going_back:
            return self._still(halted(run.group, halts), adopted)
        ready = tuple(self._ready(step) for step in run.steps if self._may_start(step))
        state = State.BACKING_OUT if going_back else State.PROGRESSING
        reason = Reason.BACKING_OUT if going_back else Reason.STEP_RUNNING
        active = [*running, *(each.step for each in ready)]
        if not active and (contract := next(filter(self._not_survived, run.steps), None)):
            return self._still(self._behind(contract), ())
        text = "; ".join(_words(step) for step in active[:3]) or "waiting for steps"
        phase = str(active[0].phase) if active else ""
        decision = ruling(run.group, state, reason, text, run.id)
        verdict = replace(decision.verdict, phase=phase)
        return replace(decision, verdict=verdict, ready=(*adopted, *ready), plan=run.plan)

    def _still(self, decision: Decision, adopted: tuple[Ready, ...]) -> Decision:
        """Start nothing, but keep following what runs on hosts."""
        return replace(decision, ready=adopted, plan=self.run.plan)

    def _adopted(self, running: Sequence[Step]) -> tuple[Ready, ...]:
        return tuple(self._adopt(step) for step in running)

    def _adopt(self, step: Step) -> Ready:
        last = self.run.last(step.id)
        assert last is not None
        return self._with_values(Ready(run=self.run.id, step=step, attempt=last.number, adopt=True))

    def _ready(self, step: Step) -> Ready:
        attempt = len(self.run.attempts.get(step.id, ())) + 1
        return self._with_values(Ready(run=self.run.id, step=step, attempt=attempt))

    def _with_values(self, ready: Ready) -> Ready:
        """Fill what earlier steps left, those of an undone run too."""
        history, service = self.scene.history, self.scene.desired.services.get(ready.step.service)
        undone = [run for run in history.runs if run.id == self.run.plan.undoes]
        runs = [each for run in (self.run, *undone) for each in history.chain(run)]
        found = with_values(ready.step, runs, service.bootstrap if service else "")
        return replace(ready, failed=found) if isinstance(found, Failed) else replace(ready, step=found)

    def _may_start(self, step: Step) -> bool:
        last = self.run.last(step.id)
        fresh = last is None or (isinstance(last.outcome, Lost) and not self._settled(step.id))
        return fresh and all(map(self._settled, step.after)) and not self._not_survived(step)

    def _settled(self, step_id: str) -> bool:
        """Tell whether what comes after a step may begin: it is done, or it only advises and has ended badly."""
        last = self.run.last(step_id)
        if last is None or last.outcome is None or isinstance(last.outcome, Done):
            return self.run.done(step_id)
        step = next(each for each in self.run.steps if each.id == step_id)
        return step.advisory and not _repeated(step, last)

    def _not_survived(self, step: Step) -> tuple[str, ...]:
        """Return the hosts that a step would break: those that an override holds at the release it does away with."""
        service = self.scene.desired.services.get(step.service)
        return held_back(service) if step.phase is Phase.CONTRACT and service is not None else ()

    def _behind(self, step: Step) -> Decision:
        text = f"{step.title} would break {', '.join(self._not_survived(step))}, held back by an override"
        return ruling(self.run.group, State.BLOCKED, Reason.OVERRIDE_IN_THE_WAY, text, self.run.id)


def _repeated(step: Step, last: Attempt) -> bool:
    """Tell whether a step whose outcome was lost is tried once more."""
    return isinstance(last.outcome, Lost) and step.repeatable and last.number < MAX_ATTEMPTS


def _words(step: Step) -> str:
    return f"{step.title} on {step.host}" if step.host else step.title
