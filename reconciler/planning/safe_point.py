"""Where in a run a newer plan may take over."""

from __future__ import annotations

from reconciler.domain.outcome import Done
from reconciler.domain.procedure import Phase
from reconciler.domain.run import Run
from reconciler.planning.scene import Scene
from reconciler.planning.settled import Settled


def at_safe_point(run: Run, away: frozenset[str]) -> bool:
    """Tell whether a newer plan may take over: between hops and waves, or where a roll has failed.

    Hosts that are `away` are in the middle of nothing, nor is what waits for a canary among them: it never comes.
    From quiesce to the end of the first hop the leg must go on, for nothing could take it over there.
    """
    steps = run.plan.steps
    failed_in_roll = any(
        step.phase is Phase.ROLL and (last := run.last(step.id)) is not None and not isinstance(last.outcome, Done)
        for step in steps
    )
    moves = any(step.phase is Phase.QUIESCE and run.attempted(step.id) for step in steps)
    migrated = any(step.kind == "schema_sync" and run.done(step.id) for step in steps)
    if moves and not migrated:
        return False
    columns: dict[tuple[object, ...], set[bool]] = {}
    behind = Settled(run, away).behind
    for step in steps:
        if step.host in away or step.id in behind:
            continue
        columns.setdefault((step.service, step.phase, step.hop, step.wave, step.host), set()).add(run.done(step.id))
    return failed_in_roll or all(len(done) == 1 for done in columns.values())


def wants_back(run: Run, scene: Scene) -> bool:
    """Tell whether the desired releases are no longer ahead of where a run began."""
    for route in run.plan.services:
        service = scene.desired.services.get(route.service)
        if service is None:
            continue
        order = [each.release.id for each in scene.catalog.service(service.component).releases]
        if order.index(service.release) <= order.index(route.start):
            return True
    return False
