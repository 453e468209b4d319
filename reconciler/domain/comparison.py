"""What differs between the structure that a release leaves and the one that was seen, and how bad that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reconciler.domain.structure import SchemaObject

LISTED = 20
"""How many differences are written out; all are counted."""


class Judgement(StrEnum):
    """How bad a difference is, in rising order."""

    HARMLESS = "harmless"  # no code and no later migration minds
    NOTABLE = "notable"  # the release works; a later migration or a person may stumble over it
    DAMAGING = "damaging"  # the release's code fails, or writes what it must not


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference: `expected` is None for what is too much, `seen` is None for what is missing."""

    judgement: Judgement
    expected: SchemaObject | None
    seen: SchemaObject | None
    reason: str

    @property
    def kind(self) -> str:
        """Return `missing`, `extra` or `other`."""
        return "missing" if self.seen is None else "extra" if self.expected is None else "other"

    def __str__(self) -> str:
        told = f"{self.expected or self.seen}"
        if self.expected is not None and self.seen is not None:
            told += f", seen {self.seen.name} {self.seen.form}".replace("  ", " ")
        return f"{self.kind} {told}"

    def as_json(self) -> dict[str, Any]:
        """Return the difference in the shape of the `schema-diff` contract."""
        return {
            "judgement": self.judgement.value,
            "kind": self.kind,
            "expected": None if self.expected is None else str(self.expected),
            "seen": None if self.seen is None else str(self.seen),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All differences, the worst first. `uncompared` says why nothing was compared; `note` what could not be seen."""

    differences: tuple[Difference, ...] = ()
    uncompared: str = ""
    note: str = ""

    @property
    def counts(self) -> Mapping[Judgement, int]:
        """Return how many differences of each judgement there are, the worst first."""
        all_ = [each.judgement for each in self.differences]
        return {judgement: all_.count(judgement) for judgement in reversed(Judgement) if judgement in all_}

    @property
    def worst(self) -> Judgement | None:
        """Return the worst judgement; None when nothing differs, or nothing was compared."""
        return next(iter(self.counts), None)

    @property
    def sound(self) -> bool:
        """Tell whether the structure was compared, and nothing but harmless things differ."""
        return not self.uncompared and self.worst in {None, Judgement.HARMLESS}

    @property
    def listed(self) -> str:
        """Return the worst differences in a line, and how many more there are; harmless ones are left out."""
        lines = [str(each) for each in self.differences if each.judgement is not Judgement.HARMLESS]
        more = f"; and {len(lines) - LISTED} more" if len(lines) > LISTED else ""
        return "; ".join(lines[:LISTED]) + more

    @property
    def told(self) -> str:
        """Return one sentence part: why it was not compared, `the same`, or the counts."""
        if self.uncompared:
            return self.uncompared
        counted = ", ".join(f"{count} {judgement}" for judgement, count in self.counts.items())
        noun = "difference" if len(self.differences) == 1 else "differences"
        return (f"{counted} {noun}" if counted else "the same") + (f"; {self.note}" if self.note else "")
