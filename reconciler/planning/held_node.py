"""A database node that is held back is a backup set: on the way back it leads the cluster again. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from reconciler.domain.plan import Step, Undo
from reconciler.planning.inherit import through
from reconciler.steps import backup, galera, restore


def leading(begun: Iterable[Step]) -> frozenset[str]:
    """Return the services whose held-back node takes the place of their dumps.

    `begun` are all steps of a leg that were begun, in their order. The node is held, was not let back, and a step has
    changed a database since: else the others have what it has, and it only joins them again.
    """
    held: set[str] = set()
    written: set[str] = set()
    for step in begun:
        if step.kind == galera.KIND and step.args.get("action") == "hold":
            held.add(step.service)
        elif step.kind == galera.KIND and step.args.get("action") == "rejoin":
            held.discard(step.service)
        elif step.undo is not None and step.undo.kind == restore.KIND and step.service in held:
            written.add(step.service)
    return frozenset(held & written)


def undo_of(step: Step, leads: frozenset[str]) -> Undo | None:
    """Return how a step is taken back: where no node leads, a held one joins again and the others stay as they are."""
    if step.kind != galera.KIND or step.undo is None or step.service in leads:
        return step.undo
    if step.args.get("action") != "hold":
        return None
    args = galera.Model.model_validate(step.args).model_copy(update={"action": "rejoin"})
    return Undo(galera.KIND, args.model_dump(mode="json"), galera.title(args))


def led(undone: tuple[Step, ...], leads: frozenset[str]) -> tuple[Step, ...]:
    """Put no database back where a node leads; what one holds now is kept where that was asked."""
    dropped = {step.id: step for step in undone if _put_back(step, leads) and not step.args.get("keep_present")}
    kept = (step for step in undone if step.id not in dropped)
    return tuple(replace(step, after=through(step.after, dropped)) for step in _keeping(kept, leads))


def _put_back(step: Step, leads: frozenset[str]) -> bool:
    return step.kind == restore.KIND and step.service in leads


def _keeping(steps: Iterable[Step], leads: frozenset[str]) -> Iterator[Step]:
    """Turn a restore that keeps the present into the dump of the present."""
    for step in steps:
        if not _put_back(step, leads):
            yield step
            continue
        names = {name: step.args[name] for name in backup.Model.model_fields if name in step.args}
        args = {**names, "database": f"{step.args['database']}.present"}
        yield replace(step, kind=backup.KIND, args=args, title=f"keep what {step.args['database']} holds now")
