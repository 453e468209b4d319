"""What is wrong with a desired state, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches

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
        """Print as compilers do, so that editors find the place."""
        advice = f"; {self.hint}" if self.hint else ""
        return f"{self.file}:{self.line}:{self.col}: error: {self.what}{advice}"


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


def near_miss(name: str, known: Iterable[str], kind: str = "") -> str:
    """Word the hint for an unknown name: what may have been meant, else what there is."""
    folded = {each.casefold(): each for each in known}
    if close := _close(name.strip().casefold(), folded):
        return f"did you mean {' or '.join(folded[each] for each in close)}?"
    return f"known{f' {kind}' if kind else ''}: {_few(sorted(folded.values()))}"


def _close(name: str, known: Iterable[str]) -> list[str]:
    """Return the nearest names, best first, without those that are clearly worse than the best."""
    close = get_close_matches(name, known, n=3, cutoff=0.6)
    ratios = [SequenceMatcher(None, each, name).ratio() for each in close]
    return [each for each, ratio in zip(close, ratios, strict=True) if ratio > ratios[0] - 0.1]


def _few(names: Sequence[str], most: int = 12) -> str:
    if not names:
        return "none"
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
