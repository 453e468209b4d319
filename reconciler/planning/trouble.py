"""What becomes of an open run in which a step ended badly, or does not end: halt, and turn back or hold. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.domain.halting import HALTING
from reconciler.domain.journal import Draft, Kind
from reconciler.domain.outcome import Done, Failed, Lost
from reconciler.domain.plan import Json, Step
from reconciler.domain.procedure import Phase
from reconciler.domain.reasons import Reason, hint_of
from reconciler.domain.run import Attempt, Run
from reconciler.domain.step_key import StepKey
from reconciler.planning.deployments import any_cut_over
from reconciler.planning.scene import Scene, accepted_losses
from reconciler.planning.serial import step_to_json
from reconciler.planning.way_back import undo_steps

MAX_ATTEMPTS = 3
"""How often a repeatable step is tried when its outcome was lost; limits are put on everything."""

_SAID_GOING_BACK = frozenset({Reason.WRITTEN_SINCE, Reason.BACKUP_UNREADABLE, Reason.NO_SPACE})
"""What keeps its own name where it stops the way back."""

Trouble = tuple[Step, Failed | Lost, int]
"""A step whose attempt of that number ended badly, and how."""


def troubles_of(run: Run) -> Iterator[Trouble]:
    """Yield every step whose last attempt ended badly and may not be repeated as it is."""
    for step in run.steps:
        last = run.last(step.id)
        if last is None or last.outcome is None or isinstance(last.outcome, Done):
            continue
        if step.advisory or repeated(step, last):
            continue
        yield step, last.outcome, last.number


def repeated(step: Step, last: Attempt) -> bool:
    """Tell whether a step whose outcome was lost is tried once more."""
    return isinstance(last.outcome, Lost) and step.repeatable and last.number < MAX_ATTEMPTS


def late(run: Run, running: Sequence[Step], scene: Scene) -> Trouble | None:
    """Return a step that runs longer than its timeout and was not told of yet; it is never killed."""
    for step in running:
        last = run.last(step.id)
        assert last is not None
        lasts_s = scene.followed_s.get(StepKey(run.id, step.id, last.number), age_s(last, scene))
        if lasts_s > step.timeout_s and not raised(run, step, last.number, Reason.STEP_SLOW, scene):
            return step, Failed(str(Reason.STEP_SLOW), f"it runs for more than {step.timeout_s:.0f} s"), last.number
    return None


def age_s(attempt: Attempt, scene: Scene) -> float:
    """Tell how long ago it began by the wall clock, which may have been set since: what a daemon timed goes first."""
    return max(0.0, (scene.now - attempt.at).total_seconds())


def raised(run: Run, step: Step, attempt: int, reason: Reason, scene: Scene) -> bool:
    """Tell whether a halt was raised for this attempt before."""
    return (run.id, step.id, attempt, str(reason)) in scene.history.raised


def halt(run: Run, trouble: Trouble, reason: Reason, scene: Scene) -> Draft:
    """Draft the halt over a step."""
    step, outcome, attempt = trouble
    where = f" on {step.host}" if step.host else ""
    hint = outcome.hint if isinstance(outcome, Failed) and outcome.hint else hint_of(reason, group=run.group)
    body: dict[str, Json] = {
        "id": f"h{scene.history.halts_raised + 1}",
        "scope": run.group,
        "reason": str(reason),
        "text": f"{step.title}{where}: {outcome.text}",
        "hint": hint,
        "inputs": run.plan.inputs,
        "attempt": attempt,
    }
    return Draft(Kind.HALT_RAISED, group=run.group, run=run.id, step=step.id, body=body)


def reason_of(run: Run, step: Step, outcome: Failed | Lost) -> Reason:
    """Name the reason of a halt: that of the outcome, or what it means where it happened."""
    if run.going_back:
        known = Reason(outcome.reason)
        return known if known in _SAID_GOING_BACK else Reason.BACK_OUT_FAILED
    if outcome.reason == Reason.PROBE_INCONCLUSIVE:
        return Reason.PROBE_INCONCLUSIVE
    if step.of_canary:
        return Reason.CANARY_FAILED
    plain = Reason.STEP_LOST if isinstance(outcome, Lost) else Reason.STEP_FAILED
    return Reason(outcome.reason) if outcome.reason in HALTING else plain


def may_turn_back(run: Run, failed: Step, scene: Scene) -> bool:
    """Tell whether only wave 0 has moved and nothing stands beyond its point of no return."""
    steps = begun(run, scene)
    beyond = any(step.point_of_no_return for step in steps)
    others_moved = any(step.phase is Phase.ROLL and (step.wave or 0) > 0 for step in steps)
    return not beyond and not others_moved and not any_cut_over(run) and failed.phase is not Phase.FINISH


def begun(run: Run, scene: Scene) -> tuple[Step, ...]:
    """Return all that was begun in this leg, by this run and by those it took over."""
    chain = scene.history.chain(run)
    return tuple(step for each in chain for step in each.plan.steps if each.attempted(step.id))


def turn(run: Run, text: str, scene: Scene) -> Draft:
    """Draft that a run is taken back from now on."""
    chain = scene.history.chain(run)
    steps = undo_steps(chain, under=run.id, accept_loss=accepted_losses(scene))
    body: dict[str, Json] = {"text": text, "steps": [step_to_json(step) for step in steps]}
    return Draft(Kind.TURNED_BACK, group=run.group, run=run.id, body=body)
