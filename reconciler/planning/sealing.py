"""Which runs the daemon needs no longer, so that they may be sealed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

from reconciler.domain.backup import BackupSet
from reconciler.domain.rehearsal import PREFIX
from reconciler.domain.run import History, Run
from reconciler.domain.segment import Keep
from reconciler.planning.deployments import cutovers
from reconciler.planning.kept import kept_sets
from reconciler.planning.plan_back import barred_by
from reconciler.steps import galera, prune_backups


def may_go(history: History, keep: Keep, hosts: Collection[str], now: datetime) -> frozenset[str]:
    """Return the runs that neither policy nor anything that is decided from now on needs.

    `hosts` are those of the fleet of today. What stays: runs that policy keeps, all open legs, every way back that
    something leads over, every backup set whose files are there, and the newest word on each group, service and host.
    """
    sets = kept_sets(history)
    needed = {
        *_young(history, keep, now),
        *_open(history),
        *(id_ for group in {run.group for run in history.runs} for id_ in _ways_back(group, history, sets)),
        *(each.run for each in sets if each.removed_at is None),
        *_newest(history, hosts),
        *_rehearsals(history),
    }
    while more := {*_speaking(needed, history)} - needed:
        needed |= more
    return frozenset(run.id for run in history.runs) - needed


def _young(history: History, keep: Keep, now: datetime) -> Iterator[str]:
    ended = [run for run in history.runs if run.ended_at is not None]
    yield from (run.id for run in ended[len(ended) - keep.runs :] if keep.runs)
    yield from (run.id for run in ended if run.ended_at and now - run.ended_at <= timedelta(days=keep.days))


def _open(history: History) -> Iterator[str]:
    """Yield what is open, and what an open way back goes over."""
    legs = (*history.open_legs(), *(run for run in history.runs if not run.ended))
    undone = (run for run in history.runs if run.id in {each.plan.undoes for each in legs})
    yield from (each.id for run in (*legs, *undone) for each in history.chain(run))


def _ways_back(group: str, history: History, sets: Sequence[BackupSet]) -> Iterator[str]:
    """Yield the newest run that stands, those on the way back to another release, and what bars the way further on.

    Without the last one, what lies behind it would seem to be in reach. An open leg may be taken over or back: then
    what is behind it is asked for as if it had never been.
    """
    standing = history.completed(group)
    behind = standing[:-1] if standing and standing[-1].ended == "superseded" else ()
    needed = (*_reach(standing, history, sets), *_reach(behind, history, sets))
    yield from (each.id for run in needed for each in history.chain(run))


def _reach(standing: Sequence[Run], history: History, sets: Sequence[BackupSet]) -> list[Run]:
    """Return the runs from the newest to the oldest that leads back, the one behind it, and what bars the way."""
    reach: list[Run] = []
    needed: list[Run] = []
    newest = True  # of all, or of what stands when everything in reach is undone
    for run in reversed(standing):
        reach.append(run)
        bar = barred_by(run, history, sets)
        if run.plan.hops and not bar:
            needed, newest = [*reach], True
        elif bar or newest:
            needed.append(run)
            newest = False
        if bar:
            break
    return needed


def _newest(history: History, hosts: Collection[str]) -> Iterator[str]:
    """Yield the runs that have the last word on a group, a service's release and deployment, and a host's build."""
    seen: set[tuple[str, ...]] = set()
    replaced = cutovers(history)
    for run in reversed(history.runs):
        told = {*_told(run, hosts)}
        if run.id in replaced or told - seen:
            yield run.id
        seen |= told


def _told(run: Run, hosts: Collection[str]) -> Iterator[tuple[str, ...]]:
    yield "group", run.group
    if run.ended in {"done", "backed_out", "superseded"}:
        yield from (("service", route.service) for route in run.plan.services)
    for step in run.plan.steps:
        if step.kind == "verify_host" and step.host in hosts and run.done(step.id):
            yield "host", step.service, step.host


def _rehearsals(history: History) -> Iterator[str]:
    """Yield the newest rehearsal of what an open leg wants; that a service has any is told by `_newest`."""
    wanted = {run.plan.inputs for run in history.open_legs()}
    found = {
        (run.group, run.plan.inputs): run.id
        for run in history.runs
        if run.group.startswith(PREFIX) and run.plan.inputs in wanted
    }
    yield from found.values()


def _speaking(ids: set[str], history: History) -> Iterator[str]:
    """Yield the runs that say something of these, without which they would look as they did before it was said."""
    begun: set[str] = set()
    held: list[Run] = []
    for run in history.runs:
        partners = {run.plan.undoes, run.plan.inherits} - {""}
        if run.id in ids:
            begun.add(run.group)
            held += [run] if _holds_node(run) else []
            yield from (each.id for each in history.runs if each.id in partners)
        back = [each for each in held if _rejoins(run, each)]
        held = [each for each in held if each not in back]
        wall = run.ended == "abandoned" and run.group in begun
        if back or wall or partners & ids or not ids.isdisjoint(_pruned(run)):
            yield run.id


def _pruned(run: Run) -> Iterator[str]:
    """Yield the runs whose backup sets a run removed."""
    for step in run.plan.steps:
        if step.kind == prune_backups.KIND:
            yield from run.values(step.id).get("removed", "").split()


def _holds_node(run: Run) -> bool:
    return any(_of_node(step.kind, step.args, {"hold"}) for step in run.plan.steps)


def _rejoins(run: Run, held: Run) -> bool:
    """Tell whether a run may have let a node into its cluster again that another one held back."""
    services = {step.service for step in held.plan.steps}
    steps = (step for step in (*run.plan.steps, *(run.back or ())) if step.service in services)
    return any(_of_node(step.kind, step.args, {"rejoin", "bootstrap"}) and run.done(step.id) for step in steps)


def _of_node(kind: str, args: object, actions: Collection[str]) -> bool:
    return kind == galera.KIND and isinstance(args, dict) and args.get("action") in actions
