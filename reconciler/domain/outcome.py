"""How steps end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Exited:
    """A host step ended. `output` is the capped, cleaned tail; `values` are the named values it left."""

    code: int
    output: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer to an HTTP probe; `ok` is None when nobody could tell (no connection)."""

    ok: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The step did what it is for, proved."""

    values: Mapping[str, str] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The step did not do what it is for."""

    reason: str
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """Looking could not tell how the step ended."""

    reason: str
    text: str


Outcome = Done | Failed | Lost
