"""Keeps what pure functions answered, as long as they are asked of the very same values."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import TypeVar, TypeVarTuple

Ts = TypeVarTuple("Ts")
R = TypeVar("R")

NEWEST = 2
"""So many answers are kept for each name: a pass may ask with what binds this fleet, and without."""


def memo(function: Callable[[*Ts], R]) -> Callable[[*Ts], R]:
    """Let a pure function work an answer out once; the newest are kept for each name that its arguments say or bear.

    Desired states and sights of a fleet hold mappings and have no hash, and to compare them costs more than it saves:
    what is no small value is known by its identity, and may never be changed.
    """
    answers: dict[tuple[str, ...], deque[tuple[tuple[object, ...], R]]] = {}

    @wraps(function)
    def ask(*args: *Ts) -> R:
        values: tuple[object, ...] = args
        name = tuple(map(_name, values))
        found = answers.setdefault(name, deque(maxlen=NEWEST))
        for known, answer in found:
            if _same(known, values):
                return answer
        answer = function(*args)
        found.append((values, answer))
        return answer

    return ask


def _name(value: object) -> str:
    """Return the name that a value says or bears; each deployment of a service bears one of its own."""
    if isinstance(value, str):
        return value
    name, deployment = getattr(value, "name", ""), getattr(value, "deployment", "")
    return f"{name}@{deployment}" if deployment else name


def _same(known: object, value: object) -> bool:
    """Tell whether two are one object; days, texts and sets are compared, and tuples member by member."""
    if known is value:
        return True
    if isinstance(known, tuple) and isinstance(value, tuple):
        return len(known) == len(value) and all(map(_same, known, value))
    return isinstance(known, date | str | frozenset) and known == value
