"""What the reader asks of the catalog, written as protocols that the catalog's own nouns fit as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from reconciler.errors import CatalogError


class Release(Protocol):
    """A release: its id, and every name an operator may type."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102


class Series(Protocol):
    """A line of releases; `find` raises CatalogError for an unknown name."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def releases(self) -> Sequence[Release]: ...  # noqa: D102
    def find(self, name: str) -> Release: ...  # noqa: D102


class ServiceRelease(Protocol):
    """A component at a release."""

    @property
    def release(self) -> Release: ...  # noqa: D102


class Service(Protocol):
    """A component of the catalog."""

    @property
    def series(self) -> Series: ...  # noqa: D102
    @property
    def databases(self) -> Mapping[str, object]: ...  # noqa: D102
    @property
    def releases(self) -> Sequence[ServiceRelease]: ...  # noqa: D102


class Catalog(Protocol):
    """All series and components."""

    @property
    def series(self) -> Mapping[str, Series]: ...  # noqa: D102
    @property
    def services(self) -> Mapping[str, Service]: ...  # noqa: D102


CatalogLoader = Callable[[Sequence[Mapping[str, Any]]], Catalog]


def release_id(catalog: Catalog, series: str, name: str) -> str | None:
    """Return the id of a release by any of its names, or None."""
    try:
        return catalog.series[series].find(name).id
    except (KeyError, CatalogError):
        return None


def release_names(catalog: Catalog, series: str) -> tuple[str, ...]:
    """List every name of every release of a series."""
    return tuple(name for release in catalog.series[series].releases for name in release.names)


def components(catalog: Catalog, series: str) -> tuple[str, ...]:
    """List the components of a series."""
    return tuple(name for name, service in catalog.services.items() if service.series.name == series)
