"""A backup set goes back whole or not at all: all of it is proved before the first database is touched. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.domain.plan import Json, Step
from reconciler.domain.procedure import Phase
from reconciler.steps import barrier, galera, kinds, load, read_back, restore, space, unchanged


def takes_rows(step: Step) -> bool:
    """Tell whether what is in a database now is gone from it after a step of the way back."""
    return step.kind in {restore.KIND, load.KIND}


def puts_back(step: Step) -> bool:
    """Tell whether a step gives databases back what they held: from a dump, or from the node that was held back."""
    return takes_rows(step) or (step.kind == galera.KIND and step.args.get("action") == "bootstrap")


def proved_first(undone: Sequence[Step], *, stands: bool) -> tuple[Step, ...]:
    """Let every dump be read back, every seal be compared and the present find room, before anything is put back.

    A seal that can only be compared after something was put back, for its service serves until then, is compared before
    that too. Where the run `stands`, all is asked before anything is stopped, so that a refusal costs no outage.
    """
    putting = {step.id for step in undone if puts_back(step)}
    behind = _behind(putting, undone)
    seals = [step for step in undone if step.kind == unchanged.KIND]
    first = [
        *(_reading(step) for step in undone if step.kind == restore.KIND),
        *(_fitting(step) for step in undone if takes_rows(step) and step.args.get("keep_present")),
        *(_ahead(step) for step in seals if stands or step.id in behind),
    ]
    proofs = tuple(step.id for step in (*first, *seals) if step.id not in behind)
    gates = _gates(first, undone) if stands else ()
    ahead = tuple(step.id for step in gates or first) if stands else ()
    waiting = (_waiting(step, proofs if step.id in putting else () if step.after else ahead) for step in undone)
    return tuple(_in_order([*first, *gates, *waiting]))


def _gates(first: Sequence[Step], undone: Iterable[Step]) -> tuple[Step, ...]:
    """Let one step wait for all questions where a crowd begins after them."""
    if not first or sum(not step.after for step in undone) <= barrier.CROWD:
        return ()
    args: dict[str, Json] = {"waits_for": len(first)}
    gate = _asking(first[0], barrier.KIND, f"wait for {len(first)} answers", args)
    return (replace(gate, id="preflight.barrier", host="", after=tuple(step.id for step in first)),)


def _behind(ids: set[str], undone: Iterable[Step]) -> set[str]:
    """Return what comes after steps with these ids."""
    found = set(ids)
    for step in _in_order(undone):
        if found.intersection(step.after):
            found.add(step.id)
    return found - ids


def _reading(step: Step) -> Step:
    """Read back the dump that a restore loads."""
    return _asking(step, read_back.KIND, f"read the dump of {step.args['database']} back", step.args)


def _fitting(step: Step) -> Step:
    """Ask whether what a database holds now will fit beside its dump."""
    return _asking(step, space.KIND, f"see that what {step.args['database']} holds now will fit", step.args)


def _asking(step: Step, name: str, title: str, args: Mapping[str, Json]) -> Step:
    kind = kinds()[name]
    return replace(
        _ahead(step),
        id=f"preflight.{name}.{step.id}",
        kind=name,
        title=title,
        args={key: args[key] for key in kind.Model.model_fields if key in args},
        timeout_s=kind.TIMEOUT_S,
        repeatable=kind.REPEATABLE,
        interruptible=kind.INTERRUPTIBLE,
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
