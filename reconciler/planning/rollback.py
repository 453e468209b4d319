"""What a daemon would do about a commit that takes a group's goal back, told from its journal before the merge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.domain.plan import Plan
from reconciler.domain.reasons import Reason
from reconciler.domain.run import Run
from reconciler.planning.plan_back import plan_back
from reconciler.planning.safe_point import wants_back
from reconciler.planning.scene import Scene, accepted_losses, block, finished, inputs_of
from reconciler.planning.trouble import begun
from reconciler.planning.way_back import undo_steps


def answer_to(group: str, at: Mapping[str, str], scene: Scene) -> Plan | None:
    """Return the plan by which `scene.desired`, the state after the merge, is reached; None when nothing was touched.

    `at` says where each service of the group stands. An open leg is backed out, a complete one goes back over its run.
    """
    run = scene.history.open_run(group)
    inputs = inputs_of(group, scene.desired)
    if run is None and all(scene.desired.services[name].release == release for name, release in at.items()):
        return None
    if run is None or run.plan.direction == "back":
        return plan_back(group, inputs, at, scene)
    if run.preparing:
        return None
    return _backed_out(run, inputs, scene)


def _backed_out(run: Run, inputs: str, scene: Scene) -> Plan:
    plan = Plan(id="", group=run.group, inputs=inputs, services=run.plan.services, direction="back", undoes=run.id)
    beyond = [step for step in begun(run, scene) if step.point_of_no_return]
    if beyond:
        text = f"{beyond[0].title} was begun in run {run.id}"
        return finished(replace(plan, blocked=(block(Reason.BEYOND_NO_RETURN, text),)))
    if not wants_back(run, scene):
        text = f"run {run.id} began at a release older than this goal"
        return finished(replace(plan, blocked=(block(Reason.NO_WAY_BACK, text),)))
    services = tuple(
        replace(each, start=each.goal, goal=each.start, route=tuple(reversed(each.route))) for each in plan.services
    )
    steps = undo_steps(scene.history.chain(run), under=run.id, accept_loss=accepted_losses(scene))
    return finished(replace(plan, services=services, steps=steps))
