"""Procedures: the law that every one obeys, and their nouns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from reconciler.desired.arguments import check_arguments, check_place, check_values
from reconciler.desired.node import Node, shown
from reconciler.desired.problem import Problem, Problems
from reconciler.desired.procedure_model import ActionModel, CutsLinkModel, ProcedureModel, WatchModel
from reconciler.desired.tree import Entry, Tree, read_procedures
from reconciler.domain.action import ActionForm
from reconciler.domain.procedure import (
    ActionSpec,
    Condition,
    CutsLink,
    Phase,
    PhaseSpec,
    Procedure,
    Selector,
    WatchSpec,
    When,
)
from reconciler.domain.release import near_miss

ActionForms = Mapping[str, ActionForm]

SCHEMA = (Phase.LOAD, Phase.MIGRATE, Phase.BACKFILL, Phase.CONTRACT)  # phases that write to databases
# Each rule: no phase of the first kind may come after one of the second kind.
ORDER = (
    (Phase.PREPARE, Phase.QUIESCE, "whatever can be done before the pause is done before it"),
    (Phase.LOAD, Phase.MIGRATE, "a schema is migrated once its rows are there"),
    (Phase.LOAD, Phase.CUTOVER, "what goes live has its rows"),
    (Phase.CUTOVER, Phase.RETIRE, "what still serves is not retired"),
    (Phase.BACKFILL, Phase.CONTRACT, "contract takes away what backfill still reads"),
    (Phase.ROLL, Phase.CONTRACT, "the old code cannot run on a contracted schema"),
)


def load_procedures(files: Mapping[str, bytes], actions: ActionForms) -> Mapping[str, Procedure] | Problems:
    """Read procedure files alone, as those that come with the product, by the same form and law."""
    tree = read_procedures(files)
    problems = [*tree.problems, *check_procedures(tree, actions)]
    return Problems.of(problems) if problems else build_procedures(tree)


def check_procedures(tree: Tree, actions: ActionForms) -> Iterator[Problem]:
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
            PhaseSpec(
                phase=Phase(each.phase),
                each=each.each,
                on=_selected(each.on)[0],
                subject=_selected(each.on)[1],
                steps=tuple(_action(step) for step in each.steps),
                rolling=each.rolling,
            )
            for each in model.phases
        ),
        watches=tuple(_watch(each) for each in model.watches),
    )


def _selected(text: str) -> tuple[Selector, str]:
    word, _, subject = text.partition(" ")
    return Selector(word), subject


def _action(step: ActionModel) -> ActionSpec:
    word, _, subject = step.when.partition(" ")
    return ActionSpec(
        step.action,
        dict(step.model_extra or {}),
        name=step.name,
        title=step.title,
        condition=Condition(when=When(word), subject=subject),
        required=step.required,
        cuts_link=_guard(step.cuts_link) if step.cuts_link else None,
    )


def _guard(model: CutsLinkModel) -> CutsLink:
    return CutsLink(model.revert, model.within_s, model.again)


def _watch(model: WatchModel) -> WatchSpec:
    on, subject = _selected(model.on)
    return WatchSpec(
        name=model.name,
        probe=ActionSpec("watch", dict(model.model_extra or {})),
        first=Phase(model.first),
        last=Phase(model.last),
        on=on,
        subject=subject,
    )


def _actions(node: Node, model: ProcedureModel, actions: ActionForms) -> Iterator[Problem]:
    named = {step.name for phase in model.phases for step in phase.steps if step.name}
    for place, phase in enumerate(model.phases):
        for index, step in enumerate(phase.steps):
            where = node.at("phases", place, "steps", index)
            if step.action not in actions:
                what = f"unknown action {shown(step.action)}"
                yield where.at("action").problem(what, near_miss(step.action, actions, "actions"))
                continue
            yield from check_arguments(where, actions[step.action])
            yield from check_place(where, step.action, actions[step.action], phase.on)
            yield from check_values(where, named)
    for place, _ in enumerate(model.watches):
        form = actions["watch"]
        yield from check_arguments(node.at("watches", place), replace(form, given={**form.given, "action": "check"}))


def _law(node: Node, model: ProcedureModel) -> Iterator[Problem]:
    kinds = [Phase(each.phase) for each in model.phases]
    for earlier, later, why in ORDER:
        start = kinds.index(later) if later in kinds else len(kinds)
        for place in range(start, len(kinds)):
            if kinds[place] is earlier:
                yield node.at("phases", place).problem(f"{earlier} must come before {later}", why)
    yield from _backup_first(node, kinds)
    yield from _watches(node, model, kinds)
    yield from _savepoints(node, model)
    if Phase.CUTOVER in kinds and model.leg != "route":
        here = node.at("leg")
        yield here.problem("a cutover ends the whole route", "write `leg: route`: the old deployment serves until then")
    if Phase.FINISH in kinds[:-1]:
        place = kinds.index(Phase.FINISH)
        yield node.at("phases", place).problem("finish must come last, and once", "it gives up what the others took")


def _savepoints(node: Node, model: ProcedureModel) -> Iterator[Problem]:
    """Yield backups of each hop of a longer leg: a dump is kept as it is, so that no second one would be made."""
    for place, phase in enumerate(model.phases):
        if phase.phase == "backup" and phase.each == "hop" and model.leg == "route":
            what = "a leg has one backup set, that of its start"
            yield node.at("phases", place, "each").problem(
                what, "write `each: leg`; for a savepoint at each stop, write `savepoint` first in the migrate phase"
            )


def _watches(node: Node, model: ProcedureModel, kinds: list[Phase]) -> Iterator[Problem]:
    """Yield watches over phases that the procedure has not, or has in another order."""
    known = tuple(dict.fromkeys(str(kind) for kind in kinds))
    names = [watch.name for watch in model.watches]
    for place, watch in enumerate(model.watches):
        here = node.at("watches", place)
        if watch.name in names[:place]:
            yield here.at("name").problem(f"watch {watch.name} is there twice", "give it another name")
        lacking = [(key, each) for key, each in (("from", watch.first), ("to", watch.last)) if each not in known]
        for key, each in lacking:
            yield here.at(key).problem(f"the procedure has no phase {each}", near_miss(each, known, "phases"))
        if not lacking and kinds.index(Phase(watch.first)) > kinds.index(Phase(watch.last)):
            yield here.at("to").problem(
                f"{watch.last} comes before {watch.first}", "a watch spans phases in their order"
            )


def _backup_first(node: Node, kinds: list[Phase]) -> Iterator[Problem]:
    first = next((place for place, kind in enumerate(kinds) if kind in SCHEMA), None)
    if first is not None and Phase.BACKUP not in kinds[:first]:
        what = f"{kinds[first]} needs a backup phase before it"
        yield node.at("phases", first).problem(what, "no schema step without its backup set")
