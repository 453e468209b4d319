"""Procedures: the law that every one obeys, and their nouns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from reconciler.desired.node import Node, shown
from reconciler.desired.problem import Problem, Problems
from reconciler.desired.procedure_model import ProcedureModel, StepModel
from reconciler.desired.tree import Entry, Tree, read_procedures
from reconciler.domain.procedure import ActionSpec, Phase, PhaseSpec, Procedure, Selector
from reconciler.domain.release import near_miss

SCHEMA = (Phase.MIGRATE, Phase.BACKFILL, Phase.CONTRACT)  # phases that write to databases
# Each rule: no phase of the first kind may come after one of the second kind.
ORDER = (
    (Phase.PREPARE, Phase.QUIESCE, "whatever can be done before the pause is done before it"),
    (Phase.BACKFILL, Phase.CONTRACT, "contract takes away what backfill still reads"),
    (Phase.ROLL, Phase.CONTRACT, "the old code cannot run on a contracted schema"),
)


def load_procedures(files: Mapping[str, bytes], actions: Collection[str]) -> Mapping[str, Procedure] | Problems:
    """Read procedure files alone, as those that come with the product, by the same form and law."""
    tree = read_procedures(files)
    problems = [*tree.problems, *check_procedures(tree, actions)]
    return Problems.of(problems) if problems else build_procedures(tree)


def check_procedures(tree: Tree, actions: Collection[str]) -> Iterator[Problem]:
    """Yield every unknown action and every breach of the law."""
    for entry in tree.procedures.values():
        if entry.model is not None:
            yield from _actions(entry.node, entry.model, actions)
            yield from _law(entry.node, entry.model)


def build_procedures(tree: Tree) -> dict[str, Procedure]:
    """Make the nouns; every entry is valid by now."""
    return {name: build_procedure(entry) for name, entry in tree.procedures.items() if entry.model is not None}


def build_procedure(entry: Entry[ProcedureModel]) -> Procedure:
    """Make the noun of a valid entry."""
    model = entry.model
    assert model is not None
    return Procedure(
        name=entry.name,
        text=model.text,
        leg=model.leg,
        phases=tuple(
            PhaseSpec(Phase(each.phase), each.each, Selector(each.on), tuple(_action(step) for step in each.steps))
            for each in model.phases
        ),
    )


def _action(step: StepModel) -> ActionSpec:
    return ActionSpec(step.action, dict(step.model_extra or {}))


def _actions(node: Node, model: ProcedureModel, actions: Collection[str]) -> Iterator[Problem]:
    for place, phase in enumerate(model.phases):
        for index, step in enumerate(phase.steps):
            if step.action not in actions:
                where = node.at("phases", place, "steps", index, "action")
                yield where.problem(f"unknown action {shown(step.action)}", near_miss(step.action, actions, "actions"))


def _law(node: Node, model: ProcedureModel) -> Iterator[Problem]:
    kinds = [Phase(each.phase) for each in model.phases]
    for earlier, later, why in ORDER:
        start = kinds.index(later) if later in kinds else len(kinds)
        for place in range(start, len(kinds)):
            if kinds[place] is earlier:
                yield node.at("phases", place).problem(f"{earlier} must come before {later}", why)
    yield from _backup_first(node, kinds)
    if Phase.FINISH in kinds[:-1]:
        place = kinds.index(Phase.FINISH)
        yield node.at("phases", place).problem("finish must come last, and once", "it gives up what the others took")


def _backup_first(node: Node, kinds: list[Phase]) -> Iterator[Problem]:
    first = next((place for place, kind in enumerate(kinds) if kind in SCHEMA), None)
    if first is not None and Phase.BACKUP not in kinds[:first]:
        what = f"{kinds[first]} needs a backup phase before it"
        yield node.at("phases", first).problem(what, "no schema step without its backup set")
