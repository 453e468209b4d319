"""What is wrong with a desired state, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.domain.text import one_line

PRINTED = 100  # problems spelled out; the rest is counted


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake at one place; `line` and `col` count from 1."""

    file: str
    line: int
    col: int
    what: str
    hint: str = ""

    def __str__(self) -> str:
        """Print as compilers do, in one line, so that editors find the place."""
        advice = f"; {self.hint}" if self.hint else ""
        return one_line(f"{self.file}:{self.line}:{self.col}: error: {self.what}{advice}")


@dataclass(frozen=True, slots=True)
class Problems:
    """Every mistake of a desired state, sorted by place."""

    items: tuple[Problem, ...]

    @classmethod
    def of(cls, items: Iterable[Problem]) -> Problems:
        """Sort `items` and drop repetitions."""
        return cls(tuple(sorted(set(items))))

    def __str__(self) -> str:
        """Print one problem a line, the first hundred of them."""
        lines = [str(item) for item in self.items[:PRINTED]]
        more = len(self.items) - PRINTED
        return "\n".join([*lines, f"and {more} more"] if more > 0 else lines)
