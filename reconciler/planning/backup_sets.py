"""Which run holds the dump of a database: the first of a leg that made one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.domain.plan import Json, Step
from reconciler.domain.run import Run
from reconciler.steps import backup, restore, restore_check

Key = tuple[str, object]
"""A service, and its database's name."""


@dataclass(frozen=True, slots=True)
class Dump:
    """A dump that a run made; `manifest` is the digest of its manifest, empty where the run left none."""

    run: str
    manifest: str

    def named_in(self, under: str) -> dict[str, Json]:
        """Return the arguments that name it to a step of run `under`."""
        return {"run": "" if self.run == under else self.run, "manifest": self.manifest}


def dumps_of(runs: Sequence[Run]) -> Mapping[Key, Dump]:
    """Return the backup set of a leg; `runs` are those that went it, newest first, of which each took over the next."""
    made = (
        (of(step), Dump(run.id, run.values(step.id).get("manifest", "")))
        for run in runs
        for step in run.plan.steps
        if step.kind == backup.KIND and run.done(step.id)
    )
    return dict(made)


def checked_in(runs: Iterable[Run]) -> frozenset[Key]:
    """Return the databases whose dumps were restored on trial."""
    return frozenset(
        of(step) for run in runs for step in run.plan.steps if step.kind == restore_check.KIND and run.done(step.id)
    )


def from_set(steps: Iterable[Step], dumps: Mapping[Key, Dump], *, under: str) -> Iterator[Step]:
    """Let what restores a database, or tries to, do so from the leg's own set; `under` is the run that carries it."""
    for step in steps:
        dump = dumps.get(of(step)) if step.kind in {restore.KIND, restore_check.KIND} else None
        yield replace(step, args={**step.args, **dump.named_in(under)}) if dump else step


def of(step: Step) -> Key:
    """Return whose database a step is about."""
    return step.service, step.args.get("database")
