"""Works out how to undo what a run did: the mirror of its graph, with proof that nothing is lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from reconciler.domain.plan import Json, Step, Undo
from reconciler.domain.procedure import Phase
from reconciler.domain.run import Run
from reconciler.planning.backup_sets import dumps_of, from_set
from reconciler.planning.held_node import leading, led, undo_of
from reconciler.planning.inherit import through
from reconciler.planning.notice import starts, stops
from reconciler.planning.proved_first import proved_first, takes_rows
from reconciler.steps import barrier, kinds


def undo_steps(runs: Sequence[Run], *, under: str, accept_loss: frozenset[str]) -> tuple[Step, ...]:
    """Return the steps that take back all of a leg that was ever begun, last first.

    `runs` are the run and those whose open leg it took over, newest first; `under` is the run that carries the steps:
    in it, "self" means its own saved files and backup set. A step that failed or was lost half-way is undone as well.
    Before a database is restored, its rows are compared with the seal, unless its service is in `accept_loss`; what is
    there then is kept in any case. No database is restored before all dumps and seals have passed.
    """
    seals = seals_of(runs)
    dumps = dumps_of(runs)
    undone: tuple[Step, ...] = ()
    begun = (step for run in reversed(runs) for step in run.plan.steps if run.attempted(step.id))
    leads = leading(begun)
    for run in runs:
        prefix = "back" if run is runs[0] else f"back.{run.id}"
        mirrored = _mirrored(run, leads, prefix, same_run=run.id == under)
        part = _once(tuple(from_set(mirrored, dumps, under=under)))
        part = tuple(guarded(part, seals, accept_loss, keep=run.id != under, prefix=prefix))
        ends = _ends(undone)
        undone += tuple(replace(step, after=step.after or ends) for step in part)
    undone = proved_first(_started_last(led(undone, leads)), stands=all(run.id != under for run in runs))
    return undone + _checks(undone, runs[-1].plan.checks_back)


def seals_of(runs: Sequence[Run]) -> Mapping[tuple[str, str], tuple[Step, Run]]:
    """Return the newest seal of each database of a leg, by service and name; `runs` newest first."""
    return {_database(step): (step, run) for run in reversed(runs) for step in run.plan.steps if _sealed(step, run)}


def _sealed(step: Step, run: Run) -> bool:
    return step.kind == "seal" and run.done(step.id)


def _mirrored(run: Run, leads: frozenset[str], prefix: str, *, same_run: bool) -> Iterable[Step]:
    begun = [replace(step, undo=undo_of(step, leads)) for step in run.plan.steps if run.attempted(step.id)]
    undoable = {step.id: step for step in begun if step.undo is not None}
    waiting: dict[str, list[str]] = {}
    for step in run.plan.steps:
        for each in step.after:
            waiting.setdefault(each, []).append(step.id)
    for step in reversed(begun):
        if step.id in undoable:
            later = _undone_before(step.id, waiting, undoable)
            yield from _mirror(step, later, run, same_run=same_run, prefix=prefix)


def _started_last(undone: tuple[Step, ...]) -> tuple[Step, ...]:
    """Let no host serve before the rows of its service are put back, whichever run of the leg has stopped it.

    Such a start comes last of its service, for its host may have to get back more than rows. What waited for it goes
    on without it.
    """
    rows: dict[str, list[str]] = {}
    held: dict[str, Step] = {}
    for step in reversed(undone):
        if takes_rows(step):
            rows.setdefault(step.service, []).append(step.id)
        elif step.service in rows and starts(step) and not stops(step):
            held[step.id] = step
    rest = tuple(replace(step, after=through(step.after, held)) for step in undone if step.id not in held)
    ends = {
        service: [each.id for each in rest if each.service == service and each.id in _ends(rest)] for service in rows
    }
    late = (
        replace(step, after=tuple(dict.fromkeys((*step.after, *rows[step.service], *ends[step.service]))))
        for step in undone
        if step.id in held
    )
    return (*rest, *late)


def _ends(steps: tuple[Step, ...]) -> tuple[str, ...]:
    waited_for = {each for step in steps for each in step.after}
    return tuple(step.id for step in steps if step.id not in waited_for)


def _checks(undone: tuple[Step, ...], checks: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the checks of the hosts that were touched, a chain per host, after everything else."""
    found = list(_barrier(undone))
    ends = tuple(step.id for step in found) or _ends(undone)
    touched = {step.host for step in undone if step.host}
    before: dict[str, tuple[str, ...]] = {}
    for check in checks:
        if check.host not in touched:
            continue
        step = replace(check, id=f"back.{check.id}", after=before.get(check.host, ends))
        before[check.host] = (step.id,)
        found.append(step)
    return tuple(found)


def _barrier(undone: tuple[Step, ...]) -> Iterable[Step]:
    """Yield what waits for a crowd of hosts, so that the checks of each need not wait for all of them."""
    ends = _ends(undone)
    if len(ends) > barrier.CROWD:
        undo = Undo(barrier.KIND, {"waits_for": len(ends)}, f"wait for {len(ends)} hosts")
        yield replace(_step(undone[-1], undo, id_="back.barrier", after=ends, args=undo.args), host="")


def _undone_before(step_id: str, waiting: Mapping[str, Sequence[str]], undoable: Mapping[str, Step]) -> tuple[str, ...]:
    """Return the nearest later steps whose undo must come first: those that waited for this step."""
    found: list[str] = []
    frontier, seen = deque(waiting.get(step_id, ())), {step_id}
    while frontier:
        current = frontier.popleft()
        if current in seen:
            continue
        seen.add(current)
        if current in undoable:
            found.append(current)
        else:
            frontier += waiting.get(current, ())
    return tuple(found)


def _mirror(step: Step, later: tuple[str, ...], run: Run, *, same_run: bool, prefix: str) -> Iterable[Step]:
    """Yield what takes a step back, one after the other; the last one bears the step's name."""
    assert step.undo is not None
    guard = step.cuts_link and step.cuts_link.undone(done=run.done(step.id))
    after = tuple(f"{prefix}.{each}" for each in later)
    for number, undo in enumerate(reversed(step.undo.also), start=1):
        id_ = f"{prefix}.{step.id}.{number}"
        args = _bound(undo, run, same_run=same_run)
        yield replace(_step(step, undo, id_=id_, after=after, args=args), cuts_link=guard)
        after = (id_,)
    args = _bound(step.undo, run, same_run=same_run)
    yield replace(_step(step, step.undo, id_=f"{prefix}.{step.id}", after=after, args=args), cuts_link=guard)


def _bound(undo: Undo, run: Run, *, same_run: bool) -> Mapping[str, Json]:
    """Name the run whose saved files and backup set are meant."""
    args = dict(undo.args)
    if not same_run:
        args |= {key: run.id for key in ("restore_from", "run") if key in args}
    return args


def _step(step: Step, undo: Undo, *, id_: str, after: tuple[str, ...], args: Mapping[str, Json]) -> Step:
    kind = kinds()[undo.kind]
    return replace(
        step,
        id=id_,
        kind=undo.kind,
        phase=Phase.BACK_OUT,
        title=undo.title,
        wave=None,
        args=args,
        after=after,
        undo=None,
        timeout_s=kind.TIMEOUT_S,
        repeatable=kind.REPEATABLE,
        interruptible=kind.INTERRUPTIBLE,
        point_of_no_return=False,
        cuts_link=None,
    )


def guarded(
    steps: tuple[Step, ...],
    seals: Mapping[tuple[str, str], tuple[Step, Run]],
    accept_loss: frozenset[str],
    *,
    keep: bool,
    prefix: str,
) -> Iterable[Step]:
    """Put before what takes rows away the proof that none was written since the seal, and let it keep what is there.

    A dump at a savepoint, DATABASE@RELEASE, is one of that database.
    """
    for step in steps:
        if not takes_rows(step):
            yield step
            continue
        before = step.after
        sealed = seals.get((step.service, str(step.args["database"]).partition("@")[0]))
        if sealed is not None and step.service not in accept_loss:
            proof = replace(_unchanged(*sealed, before, prefix), phase=step.phase)
            yield proof
            before = (proof.id,)
        yield replace(step, after=before, args={**step.args, "keep_present": keep or sealed is not None})


def _database(step: Step) -> tuple[str, str]:
    database = step.args["database"]
    assert isinstance(database, dict)
    return step.service, str(database["name"])


def _unchanged(seal: Step, run: Run, after: tuple[str, ...], prefix: str) -> Step:
    _, name = _database(seal)
    args = dict(seal.args) | {"fingerprint": run.values(seal.id).get("fingerprint", "")}
    undo = Undo("unchanged", args, f"prove that nothing was written to {name} since the seal")
    return _step(seal, undo, id_=f"{prefix}.unchanged.{seal.service}.{name}", after=after, args=args)


def _once(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Keep only the last undo of those that say the same of the same host, such as one restore for many hops.

    In a mirrored graph the last one is the undo of the earliest step; those that waited for a dropped one wait for
    what it waited for.
    """
    key = {step.id: (step.kind, step.host, repr(sorted(_telling(step).items()))) for step in steps}
    last = {
        key[step.id]: step.id
        for step in steps
        if step.kind in {"restore", "config_files", "deb_packages", "backup", "unchanged"}
    }
    dropped = {step.id: step for step in steps if last.get(key[step.id], step.id) != step.id}
    return tuple(replace(step, after=through(step.after, dropped)) for step in steps if step.id not in dropped)


def _telling(step: Step) -> Mapping[str, Json]:
    """Return what tells a step from others: not the interpreter, which each hop's build has its own of."""
    return {name: value for name, value in step.args.items() if name != "python"}
