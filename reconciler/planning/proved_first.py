"""A backup set goes back whole or not at all: all of it is proved before the first database is touched. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from reconciler.domain.plan import Step
from reconciler.domain.procedure import Phase
from reconciler.steps import galera, load, read_back, restore, unchanged


def takes_rows(step: Step) -> bool:
    """Tell whether what is in a database now is gone from it after a step of the way back."""
    return step.kind in {restore.KIND, load.KIND}


def proved_first(undone: Sequence[Step], *, stands: bool) -> tuple[Step, ...]:
    """Let every dump be read back, and every seal be compared, before anything is put back.

    A seal that can only be compared after something was put back, for its service serves until then, is compared before
    that too. Where the run `stands`, all is asked before anything is stopped, so that a refusal costs no outage.
    """
    puts_back = {step.id for step in undone if takes_rows(step) or _leads(step)}
    behind = _behind(puts_back, undone)
    seals = [step for step in undone if step.kind == unchanged.KIND]
    first = [
        *(_reading(step) for step in undone if step.kind == restore.KIND),
        *(_ahead(step) for step in seals if stands or step.id in behind),
    ]
    ahead = tuple(step.id for step in first)
    proofs = (*ahead, *(step.id for step in seals if step.id not in behind))
    waiting = (
        _waiting(step, proofs if step.id in puts_back else ahead if stands and not step.after else ())
        for step in undone
    )
    return tuple(_in_order([*first, *waiting]))


def _leads(step: Step) -> bool:
    return step.kind == galera.KIND and step.args.get("action") == "bootstrap"


def _behind(ids: set[str], undone: Iterable[Step]) -> set[str]:
    """Return what comes after steps with these ids."""
    found = set(ids)
    for step in _in_order(undone):
        if found.intersection(step.after):
            found.add(step.id)
    return found - ids


def _reading(step: Step) -> Step:
    """Read back the dump that a restore loads."""
    return replace(
        _ahead(step),
        kind=read_back.KIND,
        title=f"read the dump of {step.args['database']} back",
        args={name: step.args[name] for name in read_back.Model.model_fields if name in step.args},
        timeout_s=read_back.TIMEOUT_S,
        repeatable=read_back.REPEATABLE,
        interruptible=read_back.INTERRUPTIBLE,
    )


def _ahead(step: Step) -> Step:
    return replace(step, id=f"preflight.{step.id}", phase=Phase.PREFLIGHT, after=())


def _waiting(step: Step, more: tuple[str, ...]) -> Step:
    return replace(step, after=tuple(dict.fromkeys((*step.after, *more))))


def _in_order(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield each step after those it waits for, else as they stand."""
    by_id = {step.id: step for step in steps}
    placed: set[str] = set()
    for step in by_id.values():
        path = [step]
        while path:
            missing = [by_id[each] for each in path[-1].after if each not in placed]
            path += reversed(missing)
            if not missing and (ready := path.pop()).id not in placed:
                placed.add(ready.id)
                yield ready
