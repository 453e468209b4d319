"""Whether the names that a rule has for another component and its releases lead somewhere."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.domain.catalog import Catalog
from reconciler.domain.release import Series
from reconciler.domain.rule import Rule
from reconciler.errors import CatalogError


def wrong_names(rule: Rule, series: Series, catalog: Catalog) -> Iterator[str]:
    """Yield what is wrong with the names in a rule that relates its service to another component."""
    relation = rule.needs or rule.excludes or rule.skew
    assert relation is not None
    try:
        other = catalog.service(relation.service)
    except CatalogError as error:
        yield f"{error}; {error.hint}"
        return
    if rule.skew and other.series != series:
        yield f"{other.name} is of series {other.series.name}, and skew is counted within one"
        return
    for name in _names(rule):
        try:
            other.at(name)
        except CatalogError as error:
            yield f"{error}; {error.hint}"


def _names(rule: Rule) -> Iterator[str]:
    if rule.needs:
        yield rule.needs.release
    if rule.excludes:
        yield from filter(None, (rule.excludes.first, rule.excludes.last))
    if rule.skew:
        yield from dict.fromkeys([*rule.skew.oldest, *rule.skew.oldest.values()])
