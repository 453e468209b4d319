"""Plans the way back over what was done, and how it is proved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from reconciler.domain.backup import BackupSet, SetKind
from reconciler.domain.plan import Block, Plan, ServiceRoute, Step
from reconciler.domain.procedure import Phase
from reconciler.domain.reasons import Reason
from reconciler.domain.run import History, Run
from reconciler.planning.actions import verify_host
from reconciler.planning.graph import make_step
from reconciler.planning.kept import kept_sets
from reconciler.planning.leg import Leg, Place
from reconciler.planning.probe_actions import asked_once
from reconciler.planning.scene import Scene, accepted_losses, block, finished, groups_of
from reconciler.planning.setting import Setting
from reconciler.planning.way_back import undo_steps
from reconciler.steps import restore


def checks_back(leg: Leg, scene: Scene) -> Iterable[Step]:
    """Yield what proves, host by host, that a leg was taken back: each runs what it ran before.

    The configuration is left out: what it was before is known to the host alone.
    """
    service = leg.old or leg.service
    for name in service.hosts if leg.old else [host.name for host in leg.moving]:
        position = leg.standing[name]
        if not position.release:
            continue
        setting = Setting(
            service=service,
            desired=scene.desired,
            catalog=scene.catalog,
            host=scene.desired.hosts[name],
            position=position,
            start=leg.stops[0],
            goal=position.release,
        )
        build = setting.build(position.release)
        if build is None:
            continue
        place = Place(phase=Phase.BACK_OUT, service=service.name, host=name)
        drafts = (verify_host(setting, replace(build, files=()), "verify-build"), *asked_once(setting))
        yield from (make_step(draft, place) for draft in drafts)


def plan_back(group: str, inputs: str, at: Mapping[str, str], scene: Scene) -> Plan:
    """Plan the way back over the newest run that stands, or say why there is none.

    `at` is where each service stands. Several runs may lie between there and the goal; each pass takes one.
    """
    services = groups_of(scene.desired)[group]
    goals = {name: scene.desired.services[name].release for name in services}
    runs = scene.history.completed(group)
    begins = {(route.service, route.start) for run in runs for route in run.plan.services}
    if not runs or any((name, goal) not in begins for name, goal in goals.items() if goal != at[name]):
        start = ", ".join(f"{name} to {goal}" for name, goal in goals.items())
        no_way = block(Reason.NO_WAY_BACK, f"no completed run in the journal leads back: {start}")
        return finished(Plan(id="", group=group, inputs=inputs, services=(), blocked=(no_way,), direction="back"))
    plan = _back_over(runs[-1], group, inputs)
    barred = next(filter(None, (barred_by(run, scene.history) for run in _way(runs, goals, at))), None)
    if barred is not None:
        return finished(replace(plan, blocked=(barred,)))
    steps = undo_steps(scene.history.chain(runs[-1]), under="", accept_loss=accepted_losses(scene))
    return finished(replace(plan, steps=steps))


def _back_over(run: Run, group: str, inputs: str) -> Plan:
    routes = tuple(
        ServiceRoute(service=r.service, start=r.goal, goal=r.start, route=tuple(reversed(r.route)))
        for r in run.plan.services
    )
    return Plan(id="", group=group, inputs=inputs, services=routes, direction="back", undoes=run.id)


def _way(runs: Sequence[Run], goals: Mapping[str, str], at: Mapping[str, str]) -> Iterable[Run]:
    """Yield the runs that lie between here and the goals, newest first."""
    missing = {name: goal for name, goal in goals.items() if goal != at[name]}
    for run in reversed(runs):
        yield run
        for route in run.plan.services:
            if missing.get(route.service) == route.start:
                del missing[route.service]
        if not missing:
            return


def _left(chain: Sequence[Run], sets: Sequence[BackupSet]) -> str:
    """Say where the dumps of a leg lie: past its point of no return only a person can use them."""
    ids = {run.id for run in chain}
    kept = [each for each in sets if each.run in ids and each.kind is SetKind.DUMP and not each.removed_at]
    places = [f"{copy.host}:{copy.path}" for each in kept for copy in each.copies if copy.path]
    return f"the backup set of the leg: {', '.join(places)}" if places else "there is no backup set of the leg any more"


def barred_by(run: Run, history: History, sets: Sequence[BackupSet] | None = None) -> Block | None:
    """Say why nothing leads back over a run: a step of no return was begun in it, or its backup set is gone.

    `sets` are all that are kept, for who has listed them already.
    """
    chain = history.chain(run)
    sets = kept_sets(history) if sets is None else sets
    begun = [(each, step) for each in chain for step in each.plan.steps if each.attempted(step.id)]
    for each, step in begun:
        if step.point_of_no_return:
            return block(Reason.BEYOND_NO_RETURN, f"{step.title} was done in run {each.id}; {_left(chain, sets)}")
    restored = {step.service for _, step in begun if step.undo is not None and step.undo.kind == restore.KIND}
    ids = {each.id for each in chain}
    for kept in sets:
        if kept.run in ids and kept.service in restored and kept.kind is SetKind.DUMP and kept.removed_at:
            return block(
                Reason.NO_WAY_BACK, f"the backup set of {kept.service} at {kept.release} was removed: run {kept.run}"
            )
    return None
