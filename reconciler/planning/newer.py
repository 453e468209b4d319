"""What newer inputs mean for an open run: dropped, turned back, or taken over at a safe point. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.domain.journal import Draft, Kind
from reconciler.domain.plan import Step
from reconciler.domain.reasons import Reason
from reconciler.domain.run import Run
from reconciler.domain.verdict import Decision, State
from reconciler.planning.decision import cleared, ruling
from reconciler.planning.deployments import any_cut_over, half_way
from reconciler.planning.quarantine import away
from reconciler.planning.safe_point import at_safe_point, wants_back
from reconciler.planning.scene import Scene, accepted_losses, still_wanted
from reconciler.planning.trouble import begun, turn


def unheard(run: Run, scene: Scene) -> bool:
    """Tell whether git wants something else of a group than its run was planned from; a rehearsal moves no group."""
    return run.plan.direction != "rehearse" and not still_wanted(run.group, run.plan.inputs, scene)


def overtaken(run: Run, running: Sequence[Step], scene: Scene) -> Decision | None:
    """Follow a commit that changed the inputs, once no step runs: drop, turn back, or end at a safe point."""
    if running or not unheard(run, scene):
        return None
    if run.back is not None:
        return _turned_anew(run, scene)
    if run.preparing:
        return ended(run, "dropped", scene)
    return None if run.plan.direction == "back" else _forward(run, scene)


def ended(run: Run, result: str, scene: Scene) -> Decision:
    """End a run so that newer inputs take its place; its halts are answered by the commit."""
    clearings = tuple(cleared(halt, scene.history.accepted) for halt in scene.history.halts_of(run.group))
    end = Draft(Kind.RUN_ENDED, group=run.group, run=run.id, body={"result": result})
    decision = ruling(run.group, State.WAITING, Reason.SUPERSEDED, "newer inputs take its place")
    return replace(decision, drafts=(*clearings, end))


def _forward(run: Run, scene: Scene) -> Decision | None:
    """Let newer inputs take the place of a leg forward: by going back, or from a safe point on."""
    if wants_back(run, scene) and not any(step.point_of_no_return for step in begun(run, scene)):
        return _turned(run, "a commit took the goal back", scene)
    if half_way(run):
        why = "newer inputs, and the new deployment is not live yet"
        return None if any_cut_over(run) else _turned(run, why, scene)
    return ended(run, "superseded", scene) if at_safe_point(run, away(scene.desired)) else None


def _turned(run: Run, why: str, scene: Scene) -> Decision:
    decision = ruling(run.group, State.BACKING_OUT, Reason.BACKING_OUT, why, run.id)
    return replace(decision, drafts=(turn(run, why, scene),), plan=run.plan)


def _turned_anew(run: Run, scene: Scene) -> Decision | None:
    """Go back without the proof that stopped it, once a commit has accepted the loss."""
    halts = scene.history.halts_of(run.group)
    proofs = {halt.step for halt in halts if halt.reason == Reason.WRITTEN_SINCE}
    services = {step.service for step in run.steps if step.id in proofs}
    if not services or not services <= accepted_losses(scene):
        return None
    drafts = [cleared(halt, scene.history.accepted) for halt in halts]
    decision = ruling(run.group, State.BACKING_OUT, Reason.BACKING_OUT, "the loss is accepted", run.id)
    return replace(decision, drafts=(*drafts, turn(run, "a commit accepted the loss", scene)), plan=run.plan)
