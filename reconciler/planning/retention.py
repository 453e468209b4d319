"""Which backup sets of a service may be removed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.domain.backup import BackupPolicy, BackupSet, Need, SetKind
from reconciler.domain.plan import Step
from reconciler.domain.run import History
from reconciler.planning.kept import kept_sets
from reconciler.planning.setting import Draft
from reconciler.planning.unheard import number_of
from reconciler.steps import prune_backups

MOST_FILES = 200
"""How many files one step removes; the next one goes on."""

KEPT_RUNS = 20
"""How many of the newest runs keep their step folders on hosts."""

FILES = frozenset({SetKind.DUMP, SetKind.PRESENT, SetKind.REHEARSAL})
"""The kinds of sets that are files."""


def forgettable(runs: Iterable[str], history: History) -> tuple[str, ...]:
    """Return those of a host's runs whose steps it may forget: all that ended but for the newest.

    One that the journal does not know is sealed if its number was given by now; a higher one is of a journal that
    was restored from an older backup since, and stays as evidence.
    """
    known = {run.id for run in history.runs}
    kept = {run.id for run in history.runs if not run.ended} | {run.id for run in history.runs[-KEPT_RUNS:]}
    return tuple(run for run in runs if run not in kept and (run in known or 0 < number_of(run) <= history.begun))


def due(sets: Iterable[BackupSet], policy: BackupPolicy, now: datetime) -> tuple[BackupSet, ...]:
    """Return what of one service's sets policy does not keep, the newest first.

    Kept are the newest `keep` of each kind, at least one, and those of the last `keep_days`; and what a run kept that
    is the way back of a leg. A run's files go together or not at all. Without a policy everything is kept.
    """
    found = sorted(
        (each for each in sets if each.kind in FILES and each.removed_at is None),
        key=lambda each: each.made_at,
        reverse=True,
    )
    kept = {each.run for each in found if each.need is not Need.NONE or not policy.prunes}
    for kind in FILES:
        kept |= set(_kept([each for each in found if each.kind is kind], policy, now))
    return tuple(each for each in found if each.run not in kept)


def _kept(newest_first: Sequence[BackupSet], policy: BackupPolicy, now: datetime) -> Iterator[str]:
    """Yield the runs whose sets policy keeps."""
    for place, each in enumerate(newest_first):
        young = policy.keep_days is not None and now - each.made_at <= timedelta(days=policy.keep_days)
        if place < (policy.keep or 1) or young:
            yield each.run


def pruning(service: str, folder: str, policy: BackupPolicy) -> Draft | None:
    """Draft the step that removes what is due at the end of a leg; None where policy keeps all."""
    if not policy.prunes:
        return None
    args = prune_backups.Model(service=service, dir=folder, keep=policy.keep, keep_days=policy.keep_days)
    return Draft(
        kind=prune_backups.KIND,
        title=f"remove backup sets older {prune_backups.words(args)}",
        key="prune-backups",
        args=args.model_dump(mode="json", exclude_none=True),
        advisory=True,
    )


def with_files(step: Step, history: History, now: datetime) -> Step:
    """Name the files that a step removes, by what the journal knows now; other steps stay as they are."""
    if step.kind != prune_backups.KIND:
        return step
    args = prune_backups.Model.model_validate(step.args)
    sets = [each for each in kept_sets(history) if each.service == args.service]
    gone = due(sets, BackupPolicy(keep=args.keep, keep_days=args.keep_days), now)
    files: list[str] = []
    for each in gone:
        named = [*_files(each, args.dir, step.host)]
        if len(named) == len(each.copies) and len(files) + len(named) <= MOST_FILES:
            files += named
    return replace(step, args={**step.args, "files": [*files]})


def _files(each: BackupSet, folder: str, host: str) -> Iterator[str]:
    """Yield dumps as RUN/FILE that lie in this folder of this host under the names that we gave them."""
    for copy in each.copies:
        own = f"{folder}/{each.run}/{each.service}.{copy.database}."
        path = copy.path or f"{own}absent"
        if copy.host == host and path.startswith(own):
            yield path.removeprefix(f"{folder}/")
