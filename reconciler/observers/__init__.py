"""One file per observer: a probe and a pure parse. The folder is the registry."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from reconciler.domain.desired import Host, Service
from reconciler.domain.observation import Absent, Known, Unknown
from reconciler.ports import Answer, Question


class ParseError(ValueError):
    """An answer cannot be read with certainty; becomes Unknown."""


class Observer(Protocol):
    """What a module of this room offers; its name is the prefix of its questions' keys."""

    def questions(self, host: Host, services: Iterable[Service]) -> tuple[Question, ...]:
        """Name what is asked of a host for the services it bears."""
        ...

    def parse(self, answer: Answer, at: datetime) -> Mapping[str, Known[object] | Absent | Unknown]:
        """Read an answer: subject to what was seen."""
        ...


@cache
def observers() -> Mapping[str, Observer]:
    """Return every observer by name, sorted."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__))
    return {name: cast("Observer", import_module(f"{__name__}.{name}")) for name in names if not name.startswith("_")}
