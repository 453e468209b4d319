"""What the reader asks of the catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.domain.catalog import Catalog, Service
from reconciler.errors import CatalogError

CatalogLoader = Callable[[Sequence[Mapping[str, Any]]], Catalog]


def release_id(catalog: Catalog, series: str, name: str) -> str | None:
    """Return the id of a release by any of its names, or None."""
    try:
        return catalog.series[series].find(name).id
    except (KeyError, CatalogError):
        return None


def release_names(catalog: Catalog, series: str) -> tuple[str, ...]:
    """List every name of every release of a series."""
    return tuple(name for release in catalog.series[series].releases for name in dict.fromkeys(release.names))


def components(catalog: Catalog, series: str) -> tuple[str, ...]:
    """List the components of a series."""
    return tuple(name for name, service in catalog.services.items() if service.series.name == series)


def tools(component: Service) -> frozenset[str]:
    """Return the programs that a component's schema commands start with."""
    return frozenset(_tools(component))


def _tools(component: Service) -> Iterator[str]:
    for each in component.releases:
        yield from (argv[0] for argv in each.commands.argvs())
