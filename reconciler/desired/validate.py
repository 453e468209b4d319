"""Applies a model of the file form to a positioned value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from reconciler.desired.node import Node, shown
from reconciler.desired.problem import Problem, near_miss
from reconciler.desired.schema import known_keys

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


def validated(model: type[AnyModel], node: Node) -> Found[AnyModel]:
    """Return the model of a node, or None and what is wrong, each mistake at its own place."""
    try:
        return model.model_validate(node.plain()), []
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        return None, [problem for detail in details for problem in _problems(model, node, detail)]


def _problems(model: type[BaseModel], node: Node, detail: ErrorDetails) -> Iterator[Problem]:
    path = detail["loc"]
    on_key = bool(path) and path[-1] == "[key]"
    path = path[:-1] if on_key else path
    found = node.at(*path)
    if found.refused:
        return
    kind = detail["type"]
    if kind == "missing":
        yield found.key_problem(f"{path[-1]} is missing", f"add it to {_where(path[:-1])}")
    elif kind == "extra_forbidden":
        known = known_keys(model, path[:-1])
        yield found.key_problem(f"unknown key {shown(str(path[-1]))}", near_miss(str(path[-1]), known, "keys"))
    elif on_key:
        yield found.key_problem(f"the key {shown(str(path[-1]))} {_said(detail)}")
    else:
        yield _of_value(found, path, detail)


def _of_value(found: Node, path: tuple[str | int, ...], detail: ErrorDetails) -> Problem:
    kind = detail["type"]
    name = _name(path)
    if kind == "literal_error":
        options = str(detail["ctx"]["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
        text = found.content if isinstance(found.content, str) else ""
        return found.problem(f"{name} must be one of {', '.join(options)}", _meant(text, options))
    if kind in SHAPES:
        return found.problem(f"{name} must be {SHAPES[kind]}, not {_shape(found)}")
    if kind == "too_short":
        return found.problem(f"{name} must not be empty")
    return found.problem(f"{name} {_said(detail)}")


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


def _name(path: tuple[str | int, ...]) -> str:
    """Name a value by its path: the last key, and the place in a list."""
    names = [f"item {step + 1}" if isinstance(step, int) else step for step in path[-2:]]
    if not names:
        return "this"
    return f"{names[0]}, {names[1]}," if len(names) > 1 and isinstance(path[-1], int) else names[-1]


def _where(path: tuple[str | int, ...]) -> str:
    return _name(path).rstrip(",") if path else "this mapping"
