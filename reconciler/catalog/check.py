"""What every part of the catalog is checked for: releases that exist, names that come once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from reconciler.catalog.model import SpanModel
from reconciler.domain.release import Series, Span
from reconciler.errors import CatalogError


def span(model: SpanModel, series: Series) -> Span:
    """Resolve a stretch of releases; an end left out is open.

    Raises:
        CatalogError: a release is unknown, or the last one comes before the first.
    """
    low = series.find(model.first).index if model.first else 0
    high = series.find(model.last).index if model.last else None
    if high is not None and high < low:
        raise wrong(series.name, f"{model.first} is not before {model.last}")
    return Span(low, high)


def unique(where: str, what: str, names: Iterable[str]) -> None:
    """Refuse names that come twice; raises CatalogError."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise wrong(where, f"{what} {twice[0]} is listed twice")


def wrong(where: str, what: str) -> CatalogError:
    """Word a contradiction in the catalog."""
    return CatalogError(f"catalog, {where}: {what}", reason="catalog-invalid", hint="see docs/reference/catalog.md")
