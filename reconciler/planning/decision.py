"""Words of judgement that both its halves use: decisions, halts and suspensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.domain.journal import Draft, Kind
from reconciler.domain.plan import Block, Plan
from reconciler.domain.reasons import Reason, hint_of
from reconciler.domain.run import Halt, Suspension
from reconciler.domain.verdict import Decision, State, Verdict
from reconciler.planning.scene import Scene, groups_of


def ruling(group: str, state: State, reason: Reason, text: str, run: str = "") -> Decision:
    """Rule over a group with one reason, whose hint comes from the list of reasons."""
    verdict = Verdict(
        group=group, state=state, reason=str(reason), text=text, hint=hint_of(reason, group=group), run=run
    )
    return Decision(verdict=verdict)


def cleared(halt: Halt, revision: str) -> Draft:
    """Draft the end of a halt that a commit has answered."""
    body = {"id": halt.id, "by": f"commit {revision[:12]}", "why": "the commit changed what failed"}
    return Draft(Kind.HALT_CLEARED, group=halt.group, run=halt.run, body=dict(body))


def claimed(plan: Plan, other: Plan, run: str = "") -> Decision:
    """Rule that a plan waits for another group's, which changes the same."""
    text = f"the open leg of {other.group} changes the same hosts or services"
    return replace(ruling(plan.group, State.WAITING, Reason.CLAIMED, text, run), plan=plan)


def halted(group: str, halts: Sequence[Halt]) -> Decision:
    """Rule that a group stands halted: for the newest of its halts, which is what it came to; all are shown."""
    halt = halts[-1]
    verdict = Verdict(group=group, state=State.HALTED, reason=halt.reason, text=halt.text, hint=halt.hint, run=halt.run)
    blocks = tuple(Block(each.reason, each.text, each.hint) for each in reversed(halts)) if len(halts) > 1 else ()
    return Decision(verdict=replace(verdict, blocks=blocks))


def suspended(group: str, scene: Scene) -> Suspension | None:
    """Return who suspended the fleet, the group or one of its services, in git or by command."""
    services = groups_of(scene.desired).get(group, ())
    scopes = {"", group, *services}
    by_command = next((s for s in scene.history.suspensions if s.scope in scopes), None)
    if by_command is not None:
        return by_command
    reasons = [scene.desired.suspended, *(scene.desired.services[name].suspended for name in services)]
    why = next((reason for reason in reasons if reason), "")
    return Suspension(group, "the desired state", why) if why else None


def by_words(suspension: Suspension) -> str:
    """Say who suspended and why."""
    return f"suspended by {suspension.by}: {suspension.why}"
