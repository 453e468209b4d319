"""Goes back to a release within a leg, at which a dump was made on the way: a savepoint. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.domain.plan import Step
from reconciler.domain.procedure import Phase
from reconciler.domain.run import Run
from reconciler.planning.backup_sets import dumps_of, from_set
from reconciler.planning.database_actions import at_savepoint
from reconciler.planning.proved_first import proved_first
from reconciler.planning.scene import Scene, accepted_losses
from reconciler.planning.way_back import guarded, seals_of

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


def reopened(steps: tuple[Step, ...], run: Run, scene: Scene) -> tuple[Step, ...]:
    """Fit steps to the leg whose savepoint they go back to.

    Its dumps are read back, and its seals compared, before anything is stopped; what is there now is kept.
    """
    chain = scene.history.chain(run)
    found = tuple(from_set(steps, dumps_of(chain), under=""))
    proved = guarded(found, seals_of(chain), accepted_losses(scene), keep=True, prefix=str(Phase.MIGRATE))
    return proved_first(tuple(proved), stands=True)
