"""What the catalog knows of a service: its databases, releases, hop rules and notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.domain.commands import Commands
from reconciler.domain.marker import Marker, Stage
from reconciler.domain.release import EVERY, Release, Series, Span, near_miss
from reconciler.domain.rule import Note, Rule
from reconciler.errors import CatalogError


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A chain of alembic revisions, or a migrate repository (then without revisions)."""

    name: str
    stage: Stage
    revisions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Rows of a database that hold the addresses of others, where its tools go.

    The row of `table` whose `key` is one of `of` names that database in `column`; the one of another key names
    `others`. `bus` is a column with the address of a message bus.
    """

    table: str
    key: str
    column: str
    of: Mapping[str, str]
    others: str
    bus: str | None = None


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
        implies: a revision that, as a head, stands for one of another branch too: alembic stores only the first.
        appears: releases in which the database must exist; where others have a marker, it may be missing.
        addresses: rows in it that say where other databases of the service are.
    """

    name: str
    option: str = ""
    repositories: tuple[Branch, ...] = ()
    ignored: frozenset[str] = frozenset()
    remnants: Mapping[str, int] = field(default_factory=dict)
    blanks: tuple[Mapping[str, int], ...] = ()
    base: str = ""
    branches: tuple[Branch, ...] = ()
    implies: Mapping[str, str] = field(default_factory=dict)
    appears: Span = EVERY
    addresses: Addresses | None = None

    def heads(self, alembic: frozenset[str]) -> frozenset[str]:
        """Return the revisions of a marker with those that they stand for."""
        return alembic | {self.implies[head] for head in alembic if head in self.implies}

    def ancestry(self, alembic: frozenset[str]) -> frozenset[str]:
        """Return every known revision that a database with these heads has gone through, heads included."""
        heads = self.heads(alembic)
        chains = [
            branch.revisions[: place + 1]
            for branch in self.branches
            for place, revision in enumerate(branch.revisions)
            if revision in heads
        ]
        return frozenset({self.base} if heads else ()).union(*chains)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a service's tables lived before it had a database of its own.

    Attributes:
        tables: the tables that move.
        releases: releases of the series in which they may still live there.
        reason: one sentence for people: how they are moved.
    """

    service: str
    database: str
    tables: tuple[str, ...]
    releases: Span
    reason: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRelease:
    """A release of one service: its packages, schema markers (newest first) and commands.

    Attributes:
        first_version, final_version: of the package; empty where only distributions make packages.
        schema: per database that may exist in this release, the markers that its packages leave; several without
            `until` when `sync` and the staged commands leave different ones.
        images: facts about container images: `name`, a pattern, and `tag`.
        backfills: names of the online data migrations that the release's code holds, for the record.
    """

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
    images: Mapping[str, str] = field(default_factory=dict)
    backfills: tuple[str, ...] = ()


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
    origin: Origin | None = None

    def at(self, name: str) -> ServiceRelease:
        """Return the service at the release called `name`.

        Raises:
            CatalogError: the series has no such release, or the service has none there.
        """
        for each in self.releases:  # its id is how we name it ourselves, thousands of times in a plan
            if each.release.id == name:
                return each
        named = self.series.find(name)
        for each in self.releases:
            if each.release == named:
                return each
        have = [each.release.id for each in self.releases]
        hint = f"it has {have[0]} to {have[-1]}" if have else "the catalog lists none of its releases"
        if self.origin and named.index in self.origin.releases:
            hint += f"; before that its tables are in database {self.origin.database} of {self.origin.service}"
        raise CatalogError(
            f"{self.name} has no release {named.id}",
            reason="release-not-of-service",
            hint=hint,
        )

    def may_lack(self, database: str, release: str) -> bool:
        """Say whether a database need not exist at a release; raises CatalogError when either is unknown."""
        return self.at(release).release.index not in self.database(database).appears

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
