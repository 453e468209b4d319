"""Lists the backup sets that the journal knows, and whose way back each is. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from reconciler.domain.backup import BackupSet, Copy, Need, SetKind, Trust
from reconciler.domain.plan import Step
from reconciler.domain.procedure import Phase
from reconciler.domain.run import History, Run
from reconciler.domain.text import whole_number
from reconciler.planning.backup_sets import Key, checked_in, of
from reconciler.planning.deployments import cut_over
from reconciler.steps import backup, galera, load, prune_backups, restore


def kept_sets(history: History) -> tuple[BackupSet, ...]:
    """Return every backup set, the newest first; those that are gone too."""
    needs, removed, tried = _needs(history), _removed(history), _tried(history)
    found = (
        replace(each, removed_at=each.removed_at or removed.get((each.service, each.run)))
        for run in history.runs
        for each in _of_run(run, needs.get(run.id, Need.NONE), tried.get(run.id, frozenset()), history)
    )
    return tuple(sorted(found, key=lambda each: each.made_at, reverse=True))


def _needs(history: History) -> Mapping[str, Need]:
    """Say which runs hold the way back of a leg that is open, or of the last one of a group that stands."""
    groups = {run.group for run in history.runs}
    last = [standing[-1] for group in groups if (standing := history.completed(group))]
    undone = [run for run in history.runs if run.id in {each.plan.undoes for each in history.open_legs()}]
    found = {each.id: Need.LAST_LEG for run in last for each in history.chain(run)}
    return found | {each.id: Need.OPEN_LEG for run in (*history.open_legs(), *undone) for each in history.chain(run)}


def _removed(history: History) -> Mapping[tuple[str, str], datetime]:
    """Say by service and run when the files of a set were removed from their host."""
    return {
        (step.service, id_): last.ended_at
        for run in history.runs
        for step in run.plan.steps
        if step.kind == prune_backups.KIND and (last := run.last(step.id)) and last.ended_at
        for id_ in run.values(step.id).get("removed", "").split()
    }


def _tried(history: History) -> Mapping[str, frozenset[Key]]:
    """Say by run which of its dumps were restored on trial, by itself or by one that took its leg over."""
    found: dict[str, frozenset[Key]] = {}
    for run in history.runs:
        if keys := checked_in([run]):
            found |= {each.id: found.get(each.id, frozenset()) | keys for each in history.chain(run)}
    return found


def _of_run(run: Run, need: Need, tried: frozenset[Key], history: History) -> Iterator[BackupSet]:
    releases = {step.service: "" for step in run.plan.steps}
    releases |= {route.service: route.start for route in run.plan.services}
    for service, release in releases.items():
        for kind, steps in _steps(run, service).items():
            copies = tuple(_copy(step, run, tried) for step in steps)
            ended = [last.ended_at for step in steps if (last := run.last(step.id)) and last.ended_at]
            if copies and ended:
                yield BackupSet(
                    service=service,
                    run=run.id,
                    release=release if kind is not SetKind.PRESENT else "",
                    kind=kind,
                    made_at=max(ended),
                    copies=copies,
                    need=need,
                    removed_at=_rejoined(service, run, history) if kind is SetKind.HELD_NODE else None,
                )
    yield from _deployments(run, need)


def _steps(run: Run, service: str) -> Mapping[SetKind, list[Step]]:
    """Return the steps that kept something of a service, by what they kept."""
    done = [step for step in (*run.plan.steps, *(run.back or ())) if step.service == service and run.done(step.id)]
    ahead = {step.id for step in run.plan.steps} if run.plan.direction != "back" else set()
    dumped = SetKind.REHEARSAL if run.plan.direction == "rehearse" else SetKind.DUMP
    return {
        dumped: [step for step in done if step.kind == backup.KIND and step.id in ahead],
        SetKind.HELD_NODE: [step for step in done if step.kind == galera.KIND and step.args.get("action") == "hold"],
        SetKind.PRESENT: [step for step in done if _present(step, run) or (_dumps(step) and step.id not in ahead)],
    }


def _dumps(step: Step) -> bool:
    return step.kind == backup.KIND


def _present(step: Step, run: Run) -> str:
    """Return where a step of the way back kept what was there."""
    return run.values(step.id).get("present", "") if step.kind in {restore.KIND, load.KIND} else ""


def _copy(step: Step, run: Run, tried: frozenset[Key]) -> Copy:
    values = run.values(step.id)
    if step.kind == galera.KIND:
        return Copy(host=step.host, path=str(step.args.get("datadir", "")))
    database = str(step.args["database"])
    if step.kind != backup.KIND:
        return Copy(host=step.host, database=database, path=_present(step, run), trust=Trust.READ_BACK)
    if values.get("absent"):
        return Copy(host=step.host, database=database)
    return Copy(
        host=step.host,
        database=database,
        path=values.get("path", ""),
        bytes=whole_number(values.get("bytes", "")),
        trust=Trust.RESTORED if of(step) in tried else _told(values.get("trust", "")),
        sha256=values.get("sha256", ""),
        manifest=values.get("manifest", ""),
    )


def _told(trust: str) -> Trust:
    """Read how far a host says that its dump is proved; a word that is none proves nothing."""
    return next((each for each in Trust if each == trust), Trust.WRITTEN)


def _rejoined(service: str, run: Run, history: History) -> datetime | None:
    """Return when a node that a run held back was let into its cluster again, by which its data became those of now."""
    after = history.runs[history.runs.index(run) :]
    ends = (
        last.ended_at
        for each in after
        for step in (*each.plan.steps, *(each.back or ()))
        if step.service == service and step.kind == galera.KIND and step.args.get("action") in {"rejoin", "bootstrap"}
        if each.done(step.id) and (last := each.last(step.id)) and last.ended_at
    )
    return min(ends, default=None)


def _deployments(run: Run, need: Need) -> Iterator[BackupSet]:
    """Yield the deployments that a run replaced and left as they were; one that was retired is none any more."""
    if need is Need.NONE or run.back is not None:
        return
    for route in run.plan.services:
        retired = _ended(run, route.service, Phase.RETIRE)
        cut = _ended(run, route.service, Phase.CUTOVER)
        if route.off and cut and cut_over(run, route.service):
            yield BackupSet(
                service=route.service,
                run=run.id,
                release=route.start,
                kind=SetKind.DEPLOYMENT,
                made_at=max(cut),
                copies=tuple(Copy(host=host) for host in route.off),
                need=need,
                removed_at=max(retired, default=None),
            )


def _ended(run: Run, service: str, phase: Phase) -> Iterable[datetime]:
    steps = [step for step in run.plan.steps if step.service == service and step.phase is phase and run.done(step.id)]
    return [last.ended_at for step in steps if (last := run.last(step.id)) and last.ended_at]
