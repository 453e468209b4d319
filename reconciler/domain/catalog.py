"""What the catalog knows of a service: its databases, releases, hop rules and notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.domain.marker import Marker, Stage
from reconciler.domain.release import Release, Series, near_miss
from reconciler.domain.rule import Note, Rule
from reconciler.errors import CatalogError


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A chain of alembic revisions, or a migrate repository (then without revisions)."""

    name: str
    stage: Stage
    revisions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """One database of a service, and how its two kinds of markers are read.

    Attributes:
        option: where the service's configuration names it.
        repositories: migrate repositories that count.
        ignored: migrate repositories whose rows never count.
        remnants: rows that stay for ever once they reached this version.
        blanks: rows that version commands write into an empty database.
        base: the alembic revision under all branches; empty: no alembic.
        branches: alembic branches.
    """

    name: str
    option: str = ""
    repositories: tuple[Branch, ...] = ()
    ignored: frozenset[str] = frozenset()
    remnants: Mapping[str, int] = field(default_factory=dict)
    blanks: tuple[Mapping[str, int], ...] = ()
    base: str = ""
    branches: tuple[Branch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """The schema commands of a release as argv; None: the release has none."""

    sync: tuple[str, ...]
    expand: tuple[str, ...] | None = None
    migrate: tuple[str, ...] | None = None
    contract: tuple[str, ...] | None = None
    check: tuple[str, ...] | None = None
    upgrade_check: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRelease:
    """A release of one service: its packages, schema markers (newest first) and commands."""

    release: Release
    first_version: str
    final_version: str
    deb_prefix: str
    python_requires: str
    python_tested: tuple[str, ...]
    schema: Mapping[str, tuple[Marker, ...]]
    commands: Commands
    zero_downtime: bool
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Everything the catalog knows of one service; `releases` are oldest first."""

    name: str
    series: Series
    python_package: str
    deb_package: str
    databases: Mapping[str, Database]
    releases: tuple[ServiceRelease, ...]
    rules: tuple[Rule, ...]
    notes: tuple[Note, ...]

    def at(self, name: str) -> ServiceRelease:
        """Return the service at the release called `name`.

        Raises:
            CatalogError: the series has no such release, or the service has none there.
        """
        release = next((each for each in self.releases if each.release.id == name), None)
        if release is not None:  # its id is how we name it ourselves, thousands of times in a plan
            return release
        named = self.series.find(name)
        for each in self.releases:
            if each.release == named:
                return each
        have = [each.release.id for each in self.releases]
        raise CatalogError(
            f"{self.name} has no release {named.id}",
            reason="release-not-of-service",
            hint=f"it has {have[0]} to {have[-1]}" if have else "the catalog lists none of its releases",
        )

    def database(self, name: str) -> Database:
        """Return the database called `name`.

        Raises:
            CatalogError: the service has no such database.
        """
        if name not in self.databases:
            raise CatalogError(
                f"{self.name} has no database {name!r}",
                reason="unknown-database",
                hint=near_miss(name, self.databases),
            )
        return self.databases[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """All series and services that are known."""

    series: Mapping[str, Series]
    services: Mapping[str, Service]

    def service(self, name: str) -> Service:
        """Return the service called `name`.

        Raises:
            CatalogError: there is none; the hint suggests near misses.
        """
        if name not in self.services:
            raise CatalogError(
                f"service {name!r} is not in the catalog",
                reason="unknown-service",
                hint=near_miss(name, self.services),
            )
        return self.services[name]
