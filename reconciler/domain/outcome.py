"""How steps end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Exited:
    """A host step ended. `output` is the capped, cleaned tail; `values` are the named values it left."""

    code: int
    output: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Life:
    """Which life of a unit or container was seen: when it began, by its host's clock, and how many were before it.

    None is what its manager does not tell.
    """

    began_at: datetime | None
    restarts: int | None = None

    def is_of(self, other: Life) -> bool:
        """Tell whether both were seen in the same life.

        A manager that counts none shows an age in whole seconds: when it began is then known to 2 s.
        """
        if self.restarts != other.restarts:
            return False
        if self.began_at is None or other.began_at is None:
            return True
        exact = self.restarts is not None
        return abs(self.began_at - other.began_at) <= timedelta(seconds=0 if exact else 2)


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer to a probe; `ok` is None when nobody could tell. `life` is that of what was good, where it has one."""

    ok: bool | None
    text: str
    life: Life | None = None


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
