"""Checks of the arguments of actions, as far as their placeholders allow."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from reconciler.desired.node import Node, scalars, shown
from reconciler.desired.problem import Problem
from reconciler.desired.procedure_model import ActionModel, WatchModel
from reconciler.desired.validate import refused
from reconciler.domain.action import ActionForm
from reconciler.domain.placeholder import PLACEHOLDER, VALUE
from reconciler.domain.release import near_miss

COMMON = frozenset(ActionModel.model_fields)
OF_WATCHES = frozenset(field.alias or name for name, field in WatchModel.model_fields.items())


def check_arguments(node: Node, form: ActionForm) -> Iterator[Problem]:
    """Yield arguments that an action does not have, lacks, or could not use; what is still to be filled is let by."""
    plain = node.plain()
    common = (OF_WATCHES if "from" in node.entries() else COMMON) - ({"name"} & set(form.model.model_fields))
    given = plain if isinstance(plain, dict) else {"action": plain}
    args = {key: each for key, each in given.items() if key not in common}
    for path, problem in refused(form.model, {**form.given, **args}, node, str(given.get("action", "the watch"))):
        if not _open(node.at(*path) if path else node):
            yield problem


def _open(node: Node) -> bool:
    """Tell whether a value holds what only the planner can fill."""
    texts = [each.content for each in scalars(node)]
    return any(isinstance(text, str) and (PLACEHOLDER.search(text) or VALUE.search(text)) for text in texts)


def check_place(node: Node, action: str, form: ActionForm, on: str) -> Iterator[Problem]:
    """Yield an action that stands where nothing could carry it out."""
    if form.where == "host" and on in {"daemon", "person"}:
        yield node.problem(f"{action} runs on a host, and {on} is none", "choose a selector of hosts")
    if form.where == "person" and on == "daemon":
        yield node.problem(f"{action} is done by a person", "put it into a phase on: person")


def check_values(node: Node, named: Collection[str]) -> Iterator[Problem]:
    """Yield values of actions that the procedure does not name."""
    for each in scalars(node):
        for found in VALUE.finditer(each.content if isinstance(each.content, str) else ""):
            if found[1] not in named:
                what = f"no action is named {shown(found[1])}"
                yield each.problem(what, near_miss(found[1], named, "names"))
