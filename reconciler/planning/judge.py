"""Judges a group: its verdict, what goes into the journal, and the steps that may start. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.domain.gate import Holds
from reconciler.domain.journal import Draft, Kind
from reconciler.domain.memo import memo
from reconciler.domain.plan import Json, Plan
from reconciler.domain.position import Position
from reconciler.domain.procedure import PREPARING
from reconciler.domain.reasons import Reason
from reconciler.domain.run import History, Run
from reconciler.domain.verdict import Decision, State, Verdict
from reconciler.planning.claims import astray, claimed_by, left_behind
from reconciler.planning.contract import survived
from reconciler.planning.decision import by_words, claimed, cleared, halted, ruling, suspended
from reconciler.planning.dependency import waits_of
from reconciler.planning.gated import held_at_a_gate
from reconciler.planning.images import same_everywhere
from reconciler.planning.open_run import OpenRun
from reconciler.planning.others import away_with_others
from reconciler.planning.plan import make_plan
from reconciler.planning.scene import Scene, groups_of, still_wanted
from reconciler.planning.serial import plan_to_json
from reconciler.planning.unheard import behind
from reconciler.planning.witness import witnessed


def judge(group: str, positions: Sequence[Position] | None, scene: Scene) -> Decision:
    """Decide over one group; `positions` are None while the fleet was not looked at since its last run."""
    run = scene.history.open_run(group)
    if old := behind(group, run, scene):
        return OpenRun(run, scene).standing_still(old) if run else old
    return _without_run(group, positions, scene) if run is None else _with_run(run, positions, scene)


def _with_run(run: Run, positions: Sequence[Position] | None, scene: Scene) -> Decision:
    decision = witnessed(run, OpenRun(run, scene).decide())
    decision = survived(run, same_everywhere(run, decision), positions)
    if _first_touch(run, decision) and positions is None:
        again = ruling(run.group, State.WAITING, Reason.HOST_NOT_ASKED, "looking at the fleet once more", run.id)
        return replace(again, plan=run.plan)
    waits = decision.verdict.state is State.WAITING or _first_touch(run, decision)
    return _planned_anew(run, positions, scene) or decision if waits else decision


def _without_run(group: str, positions: Sequence[Position] | None, scene: Scene) -> Decision:
    leg = scene.history.superseded(group)
    if leg is not None and (lost := astray(leg, scene.desired)):
        return ruling(group, State.BLOCKED, Reason.OPEN_LEG, left_behind(leg, lost), leg.id)
    if superseded := _superseded(group, scene):
        return superseded
    if positions is None:
        return ruling(group, State.WAITING, Reason.HOST_NOT_ASKED, "looking at the fleet")
    return _new_run(group, positions, scene)


# ---------------------------------------------------------------- no run is open


def _superseded(group: str, scene: Scene) -> Decision | None:
    """Clear the halts of a group whose inputs a commit has changed since: that commit was a person's answer."""
    stale = [halt for halt in scene.history.halts_of(group) if not still_wanted(group, halt.inputs, scene)]
    if not stale:
        return None
    drafts = tuple(cleared(halt, scene.history.accepted) for halt in stale)
    return replace(ruling(group, State.WAITING, Reason.SUPERSEDED, "newer inputs"), drafts=drafts)


def _new_run(group: str, positions: Sequence[Position], scene: Scene) -> Decision:
    plan = make_plan(group, positions, scene)
    halts = scene.history.halts_of(group)
    if halts:
        return replace(halted(group, halts), plan=plan)
    if plan is None and (away := away_with_others(positions, scene)):
        return ruling(group, State.WAITING, Reason.MOVED_BY_OTHERS, away)
    if plan is None:
        return ruling(group, State.IN_SYNC, Reason.IN_SYNC, "everything runs as desired")
    if plan.blocked:
        first = plan.blocked[0]
        verdict = Verdict(
            group=group,
            state=State.BLOCKED,
            reason=first.reason,
            text=first.text,
            hint=first.hint,
            blocks=plan.blocked,
        )
        return Decision(verdict=verdict, plan=plan)
    if suspension := suspended(group, scene):
        return replace(ruling(group, State.SUSPENDED, Reason.SUSPENDED, by_words(suspension)), plan=plan)
    return _begin(plan, scene)


def _begins_elsewhere(run: Run, positions: Sequence[Position]) -> bool:
    """Tell whether a leg forward was planned from another release than its services are seen at by now."""
    seen = {each.service: each.release for each in positions if each.release}
    anew = run.plan.direction == "forward" and not run.plan.inherits
    return anew and any(seen.get(each.service, each.start) != each.start for each in run.plan.services)


def _first_touch(run: Run, decision: Decision) -> bool:
    """Tell whether a leg that changes releases would touch what serves now for the first time.

    What one look has seen wrongly, as a database that lagged, the look after it does not: both must ask for this plan.
    """
    fresh = run.prepared and run.plan.hops and not run.plan.inherits
    return fresh and any(each.step.phase not in PREPARING for each in decision.ready)


def _planned_anew(run: Run, positions: Sequence[Position] | None, scene: Scene) -> Decision | None:
    """Drop a run that is prepared and waits before its pause, when the fleet asks for another plan by now.

    A group that a commit has taken away asks for none: its run ends as every run of a group that is gone.
    """
    if positions is None or not run.prepared or run.group not in groups_of(scene.desired):
        return None
    plan = make_plan(run.group, positions, replace(scene, history=_before(run, scene.history)))
    if plan is not None and (plan.id == run.plan.id or (plan.blocked and not _begins_elsewhere(run, positions))):
        return None
    end = Draft(Kind.RUN_ENDED, group=run.group, run=run.id, body={"result": "dropped"})
    return replace(ruling(run.group, State.WAITING, Reason.SUPERSEDED, "the fleet has changed"), drafts=(end,))


@memo
def _before(run: Run, history: History) -> History:
    """Return the journal without a run: it may itself have taken over a leg, which would seem to be gone."""
    return replace(history, runs=tuple(each for each in history.runs if each is not run))


def _begin(plan: Plan, scene: Scene) -> Decision:
    """Pin a plan, unless it failed before or another group's leg is in its way."""
    if any(group == plan.group and still_wanted(group, inputs, scene) for group, inputs in scene.history.holds):
        return replace(ruling(plan.group, State.BLOCKED, Reason.HELD, "these inputs failed before"), plan=plan)
    if waiting := _in_turn(plan, scene):
        return waiting
    if other := claimed_by(plan, scene):
        return claimed(plan, other)
    held = held_at_a_gate(plan, scene)
    if held and held.holds is Holds.EVERYTHING:
        return held.decision
    return _pinned(plan, scene)


def _in_turn(plan: Plan, scene: Scene) -> Decision | None:
    """Let a leg wait for those of other components that come first."""
    if not plan.hops or plan.direction == "back":
        return None
    if scene.order is None:
        text = "looking at the fleet, on which the order of legs depends"
        return replace(ruling(plan.group, State.WAITING, Reason.HOST_NOT_ASKED, text), plan=plan)
    waits = waits_of(plan.group, 1, scene.order)
    if not waits:
        return None
    others = [each for each in waits if each.others]
    reason, state = (Reason.DEPENDENCY_OF_OTHERS, State.BLOCKED) if others else (Reason.DEPENDENCY, State.WAITING)
    first = (others or waits)[0]
    decision = ruling(plan.group, state, reason, f"{first.text} [{first.rule}]")
    return replace(decision, plan=replace(plan, waits_for=waits))


def _risks(plan: Plan, scene: Scene) -> list[Json]:
    """Return the risks of a plan's services that somebody has taken in git and that hold today."""
    names, today = {plan.group, *(route.service for route in plan.services)}, scene.now.date()
    holding = (each for each in scene.desired.accepts if today <= each.until)
    told = (each for each in holding if each.what.partition(":")[2] in names)
    return [{"what": a.what, "by": a.by, "reason": a.reason, "until": a.until.isoformat()} for a in told]


def _pinned(plan: Plan, scene: Scene) -> Decision:
    run_id = f"{plan.id}-{scene.history.begun + 1}"
    body: dict[str, Json] = {"plan": plan_to_json(plan)}
    if taken := _risks(plan, scene):
        body["accepts"] = taken
    draft = Draft(Kind.PLAN_PINNED, group=plan.group, run=run_id, body=body)
    decision = ruling(plan.group, State.PROGRESSING, Reason.STEP_RUNNING, "starting", run_id)
    return replace(decision, drafts=(draft,), plan=plan)
