"""Checks of the arguments of actions, as far as their placeholders allow."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from reconciler.desired.node import Node, scalars, shown
from reconciler.desired.problem import Problem
from reconciler.desired.procedure_model import ActionModel, WatchModel
from reconciler.desired.validate import refused
from reconciler.domain.action import ActionForm
from reconciler.domain.placeholder import PLACEHOLDER, VALUE
from reconciler.domain.release import near_miss

VERB = "do"
COMMON = frozenset(ActionModel.model_fields)
OF_WATCHES = frozenset(field.alias or name for name, field in WatchModel.model_fields.items())


def check_arguments(node: Node, form: ActionForm) -> Iterator[Problem]:
    """Yield arguments that an action does not have, lacks, or could not use; what is still to be filled is let by."""
    word = str(node.entries()["action"].content if "action" in node.entries() else node.plain())
    if "from" in node.entries():
        word = "the watch"
    if "action" in form.model.model_fields and "action" not in form.given:
        node = _with_verb(node)
    plain = node.plain()
    common = (OF_WATCHES if "from" in node.entries() else COMMON) - ({"name", "action"} & set(form.model.model_fields))
    args = {key: each for key, each in plain.items() if key not in common} if isinstance(plain, dict) else {}
    for path, problem in refused(form.model, {**form.given, **args}, node, word):
        named = bool(path) and _may_be_named(form, str(path[0])) and isinstance(args.get(str(path[0])), str)
        if not named and not _open(node.at(*path) if path else node):
            yield replace(problem, what=problem.what.replace("action", VERB, 1)) if path[:1] == ("action",) else problem


def _with_verb(node: Node) -> Node:
    """Let `do` stand for the argument `action` of a step kind: that word names the kind itself in a procedure."""
    entries = {key: each for key, each in node.entries().items() if key != "action"}
    if VERB in entries:
        entries["action"] = entries.pop(VERB)
    return replace(node, content=entries)


def _may_be_named(form: ActionForm, key: str) -> bool:
    """Tell whether the name of a probe may stand for an argument."""
    return key in form.probes


def check_named_probes(node: Node, form: ActionForm, probes: Collection[str]) -> Iterator[Problem]:
    """Yield names of probes that stand for an argument, and that no probe has."""
    for key, each in node.entries().items():
        if (
            _may_be_named(form, key)
            and isinstance(each.content, str)
            and each.content not in probes
            and not _open(each)
        ):
            yield each.problem(f"unknown probe {shown(each.content)}", near_miss(each.content, probes, "probes"))


def _open(node: Node) -> bool:
    """Tell whether a value holds what only the planner can fill."""
    texts = [each.content for each in scalars(node)]
    return any(isinstance(text, str) and (PLACEHOLDER.search(text) or VALUE.search(text)) for text in texts)


def check_place(node: Node, action: str, form: ActionForm, on: str) -> Iterator[Problem]:
    """Yield an action that stands where nothing could carry it out."""
    if form.where == "host" and on in {"daemon", "person"}:
        yield node.problem(f"{action} runs on a host, and {on} is none", "choose a selector of hosts")
    guard = node.entries().get("cuts_link")
    if guard is not None and {form.where, on} & {"daemon", "person"}:
        yield guard.key_problem(f"{action} does nothing on a host", "leave cuts_link out")
    if guard is not None and any(VALUE.search(str(each.content)) for each in scalars(guard)):
        yield guard.problem("what brings a host back knows no values of other steps", "write it without {value:...}")
    if form.where == "person" and on == "daemon":
        yield node.problem(f"{action} is done by a person", "put it into a phase on: person")


def check_values(node: Node, named: Collection[str]) -> Iterator[Problem]:
    """Yield values of actions that the procedure does not name."""
    for each in scalars(node):
        for found in VALUE.finditer(each.content if isinstance(each.content, str) else ""):
            if found[1] not in named:
                what = f"no action is named {shown(found[1])}"
                yield each.problem(what, near_miss(found[1], named, "names"))
