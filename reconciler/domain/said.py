"""Digests what people said, in a form that a newer daemon, to which more can be said, makes alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from hashlib import sha256
from typing import Any

FORM = "2:"
"""What digests of this form begin with; those of the first one, which told every field, begin with none."""


def digest_of_said(value: object) -> str:
    """Digest JSON values, dataclasses and sets, by what differs from what holds where nobody says anything.

    A field that is added with a default, or moved, changes no digest of a desired state that does not use it.
    """
    return FORM + sha256(_CANONICAL.encode(value).encode()).hexdigest()


def _content(value: object) -> object:
    """Render what JSON does not know; a dataclass as its name with the fields that do not have their default."""
    if isinstance(value, frozenset | set):
        return sorted(value, key=str)
    kind: Any = type(value)
    defaults = _defaults(kind)
    if defaults is None:
        return str(value)
    told = {name: getattr(value, name) for name in defaults}
    return {kind.__name__: {name: each for name, each in told.items() if each != defaults[name]()}}


@cache
def _defaults(kind: type[Any]) -> Mapping[str, Callable[[], object]] | None:
    """Return what makes the default of each field of a dataclass; of one that has none, what nothing equals."""
    if not is_dataclass(kind):
        return None
    return {each.name: _default(each.default, each.default_factory) for each in fields(kind)}


def _default(default: object, factory: Any) -> Callable[[], object]:  # noqa: ANN401 - a field's own
    if factory is not MISSING:
        made: Callable[[], object] = factory
        return made
    return (lambda: default) if default is not MISSING else object


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_content)
