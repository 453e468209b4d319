"""Applies a model of the file form to a positioned value."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from reconciler.desired.node import Node, shown
from reconciler.desired.problem import Problem
from reconciler.desired.schema import known_keys
from reconciler.domain.release import near_miss

AnyModel = TypeVar("AnyModel", bound=BaseModel)
Found = tuple[AnyModel | None, list[Problem]]

SHAPES = {
    "string_type": "text",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
    "int_type": "a number",
    "float_type": "a number",
    "bool_type": "true or false",
    "date_type": "a day like 2026-12-01",
}


def validated(model: type[AnyModel], node: Node, title: str) -> Found[AnyModel]:
    """Return the model of a node, or None, and what is wrong, each mistake at its own place; `title` names the whole.

    A key too many hides nothing: the rest is a model still, so that what others check in it is said as well.
    """
    try:
        return model.model_validate(node.plain()), []
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        problems = [problem for detail in details for problem in _problems(model, node, title, detail)]
        return _without_extras(model, node, details), problems


def refused(
    model: type[BaseModel], value: object, node: Node, title: str
) -> Iterator[tuple[tuple[str | int, ...], Problem]]:
    """Yield path and problem of whatever a model refuses in a value whose places are those of `node`."""
    try:
        model.model_validate(value)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            for problem in _problems(model, node, title, detail):
                yield detail["loc"], problem


def _without_extras(model: type[AnyModel], node: Node, details: list[ErrorDetails]) -> AnyModel | None:
    """Return the model without the keys that it does not know, if those are all that is wrong.

    A key that was misspelt may be missed: what is left is no model then, and what it was meant to be is said already.
    """
    if any(detail["type"] != "extra_forbidden" for detail in details):
        return None
    value: Any = deepcopy(node.plain())
    for detail in details:
        *way, key = detail["loc"]
        place = value
        for word in way:
            place = place[word]
        del place[key]
    try:
        return model.model_validate(value)
    except ValidationError:
        return None


def _problems(model: type[BaseModel], node: Node, title: str, detail: ErrorDetails) -> Iterator[Problem]:
    path = detail["loc"]
    on_key = bool(path) and path[-1] == "[key]"
    path = path[:-1] if on_key else path
    found = node.at(*path)
    if found.refused:
        return
    kind = detail["type"]
    if kind == "missing":
        yield found.key_problem(f"{path[-1]} is missing", f"add it to {_name(path[:-1], title)}")
    elif kind == "extra_forbidden":
        known = known_keys(model, path[:-1])
        yield found.key_problem(f"unknown key {shown(str(path[-1]))}", near_miss(str(path[-1]), known, "keys"))
    elif on_key:
        yield found.key_problem(f"the key {shown(str(path[-1]))} {_said(detail)}")
    else:
        yield from _of_value(found, _name(path, title), detail)


def _of_value(found: Node, name: str, detail: ErrorDetails) -> Iterator[Problem]:
    kind = detail["type"]
    if kind in {"literal_error", "enum"}:
        options = str(detail["ctx"]["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
        text = found.content if isinstance(found.content, str) else ""
        yield found.problem(f"{name} must be one of {', '.join(options)}", _meant(text, options))
    elif kind in SHAPES:
        yield found.problem(f"{name} must be {SHAPES[kind]}, not {_shape(found)}")
    elif kind != "too_short":
        yield found.problem(f"{name} {_said(detail)}")
    elif not found.content:  # pydantic also counts what is only invalid as absent
        yield found.problem(f"{name} must not be empty")


def _meant(text: str, options: list[str]) -> str:
    hint = near_miss(text, options)
    return "" if hint.startswith("known") else hint


def _said(detail: ErrorDetails) -> str:
    cause = detail.get("ctx", {}).get("error")
    return str(cause) if cause is not None else f"is not acceptable: {detail['msg'].lower()}"


def _shape(node: Node) -> str:
    if isinstance(node.content, str):
        return "text"
    return "a list" if isinstance(node.content, tuple) else "a mapping"


def _name(path: tuple[str | int, ...], title: str) -> str:
    """Name a value by the last key or two and its place in a list, or by the whole's title."""
    if not path:
        return title
    keys = [step for step in path if isinstance(step, str)]
    name = ".".join(keys[-2:]) or title
    return f"{name}[{path[-1] + 1}]" if isinstance(path[-1], int) else name
