"""Releases and the series that they form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from itertools import islice

from reconciler.errors import CatalogError

COMPARED = 2000  # names that a misspelt one is compared with, some microseconds each


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One release of a series; `index` is its place in the order, oldest first."""

    id: str
    index: int
    codename: str
    slurp: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name an operator may type."""
        return (self.id, self.codename, *self.aliases)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of releases by index, both ends included; `high` None goes on for ever."""

    low: int = 0
    high: int | None = None

    def __contains__(self, index: int) -> bool:
        return self.low <= index and (self.high is None or index <= self.high)


EVERY = Span()


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A line of releases of one product, oldest first."""

    name: str
    releases: tuple[Release, ...]

    def find(self, name: str) -> Release:
        """Return the release called `name` (id, codename or alias, in any case).

        Raises:
            CatalogError: no release has that name; the hint suggests near misses.
        """
        for release in self.releases:
            if release.id == name:  # how files name it, thousands of times
                return release
        wanted = name.strip().casefold()
        for release in self.releases:
            if wanted in (known.casefold() for known in release.names):
                return release
        known = [each for release in self.releases for each in release.names]
        raise CatalogError(
            f"release {name!r} is not of series {self.name}",
            reason="unknown-release",
            hint=near_miss(name, known, all_of=[release.id for release in self.releases]),
        )

    def next_slurp(self, release: Release) -> Release | None:
        """Return the first SLURP release after `release`."""
        return next((later for later in self.releases[release.index + 1 :] if later.slurp), None)


def near_miss(name: str, known: Iterable[str], kind: str = "", *, all_of: Sequence[str] = ()) -> str:
    """Word the hint for an unknown name: what may have been meant, else what there is, as `kind` if given."""
    folded = {each.casefold(): each for each in known}
    if close := _close(name.strip().casefold(), folded):
        return f"did you mean {' or '.join(folded[each] for each in close)}?"
    return f"known{f' {kind}' if kind else ''}: {_few(all_of or sorted(folded.values()))}"


def _close(name: str, known: Iterable[str]) -> list[str]:
    """Return the nearest names, best first, without those that are clearly worse than the best."""
    close = get_close_matches(name, islice(known, COMPARED), n=3, cutoff=0.6)
    ratios = [SequenceMatcher(None, each, name).ratio() for each in close]
    return [each for each, ratio in zip(close, ratios, strict=True) if ratio > ratios[0] - 0.1]


def _few(names: Sequence[str], most: int = 30) -> str:
    if not names:
        return "none"
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
