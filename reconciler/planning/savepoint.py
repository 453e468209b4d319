"""Goes back to a release within a leg, at which a dump was made on the way: a savepoint. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.domain.plan import Plan, Step
from reconciler.domain.run import Run
from reconciler.planning.backup_sets import dumps_of, from_set
from reconciler.planning.database_actions import at_savepoint
from reconciler.planning.proved_first import proved_first
from reconciler.planning.scene import Scene, accepted_losses
from reconciler.planning.way_back import seals_of, unchanged_since
from reconciler.steps import restore

PROCEDURE = "savepoint"


def passed_by(group: str, goals: Mapping[str, str], scene: Scene) -> Run | None:
    """Return the newest run of a leg that made a savepoint at the goal of every service it moved; None without one.

    All databases of the leg go back together or not at all, so that one service alone has no savepoint.
    """
    runs = scene.history.completed(group)
    if not runs:
        return None
    dumps = dumps_of(scene.history.chain(runs[-1]))
    wanted = {
        (route.service, at_savepoint(database, goals[route.service]))
        for route in runs[-1].plan.services
        if route.service in goals
        for database in scene.desired.services[route.service].databases
    }
    moved = {route.service for route in runs[-1].plan.services}
    return runs[-1] if wanted and moved == set(goals) and wanted <= dumps.keys() else None


def reopened(plan: Plan, run: Run, scene: Scene) -> tuple[Step, ...]:
    """Fit the steps of a plan to the leg whose savepoint they go back to.

    Its dumps are read back, and its seals compared, before anything is stopped; what is there now is kept.
    """
    chain = scene.history.chain(run)
    steps = from_set(plan.steps, dumps_of(chain), under="")
    return proved_first(tuple(_guarded(steps, chain, accepted_losses(scene))), stands=True)


def _guarded(steps: Iterator[Step], chain: Sequence[Run], accepted: frozenset[str]) -> Iterator[Step]:
    """Put before what is put back the proof that nothing was written since the seal of its database."""
    seals = seals_of(chain)
    for step in steps:
        sealed = seals.get((step.service, str(step.args.get("database", "")).partition("@")[0]))
        if step.kind != restore.KIND:
            yield step
        elif sealed is None or step.service in accepted:
            yield replace(step, args={**step.args, "keep_present": True})
        else:
            proof = replace(unchanged_since(*sealed, step.after, str(step.phase)), phase=step.phase)
            yield proof
            yield replace(step, after=(proof.id,), args={**step.args, "keep_present": True})
