"""What is looked at once more before a contract: whether a host fell back to what it would not survive. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from reconciler.domain.position import Position
from reconciler.domain.procedure import Phase
from reconciler.domain.reasons import Reason
from reconciler.domain.run import Run
from reconciler.domain.verdict import Decision, State
from reconciler.planning.decision import ruling


def survived(run: Run, decision: Decision, positions: Sequence[Position] | None) -> Decision:
    """Let contracts begin only when the fleet was seen since all hosts were moved, and none is seen at another release.

    A roll may take days: a host that was put back from a snapshot meanwhile has forgotten that it was moved.
    """
    contracts = [each for each in decision.ready if each.step.phase is Phase.CONTRACT and not each.adopt]
    if not contracts or not run.rolled_with:
        return decision
    if positions is None:
        held = ruling(run.group, State.WAITING, Reason.HOST_NOT_ASKED, "looking at the fleet once more", run.id)
    elif fallen := list(_fallen(run, positions, {each.step.service for each in contracts})):
        held = ruling(run.group, State.BLOCKED, Reason.HOST_FELL_BACK, "; ".join(fallen), run.id)
    else:
        return decision
    others = tuple(each for each in decision.ready if each not in contracts)
    return replace(decision, ready=others) if others else replace(held, plan=run.plan)


def _fallen(run: Run, positions: Sequence[Position], services: Collection[str]) -> Iterator[str]:
    goals = {each.service: each.goal for each in run.plan.services if each.service in services}
    moved = {(step.service, step.host) for step in run.plan.steps if step.phase is Phase.ROLL and run.done(step.id)}
    for position in positions:
        goal = goals.get(position.service)
        for host in position.hosts:
            if goal and host.release not in {"", goal} and (position.service, host.host) in moved:
                yield f"{host.host} was moved to {goal}, and {position.service} is at {host.release} there again"
