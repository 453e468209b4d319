"""What plans claim: no two runs change one service or one host at a time. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.domain.desired import Desired
from reconciler.domain.plan import Plan
from reconciler.domain.run import Run
from reconciler.planning.scene import Scene, groups_of


def claimed_by(plan: Plan, scene: Scene) -> Plan | None:
    """Return another group's plan that is being carried out and changes something that this one would change.

    One that is prepared and waits before its pause claims nothing: it may wait for days. Nor does a rehearsal. But one
    that took over a leg stands for that leg, which is in the middle of something.
    """
    mine = claims_of(plan)
    begun = (*(run.plan for run in scene.history.open_legs() if _claims(run)), *scene.pinned)
    return next((other for other in begun if other.group != plan.group and claims_of(other) & mine), None)


def _claims(run: Run) -> bool:
    return (not run.prepared or bool(run.plan.inherits)) and run.plan.direction != "rehearse"


def claims_of(plan: Plan) -> frozenset[tuple[str, str]]:
    """Return the services and hosts that a plan's steps touch."""
    services = {("service", step.service) for step in plan.steps}
    return frozenset(services | {("host", step.host) for step in plan.steps if step.host})


def astray(run: Run, desired: Desired) -> tuple[str, ...]:
    """Return the services of an open leg's run that its group no longer has: a commit took them away in mid-leg."""
    members = groups_of(desired).get(run.group, ())
    return tuple(route.service for route in run.plan.services if route.service not in members)


def left_behind(run: Run, services: Sequence[str]) -> str:
    """Say what a commit left behind, and what to do about it."""
    return f"the leg of run {run.id} is open, and {', '.join(services)} left group {run.group}: put them back"
