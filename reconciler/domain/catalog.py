"""What the catalog knows of a service: its databases, releases, hop rules and notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.domain.release import EVERY, Release, Series, Span, near_miss
from reconciler.errors import CatalogError


class RuleKind(StrEnum):
    """What a hop rule does to the hops that it applies to."""

    SEQUENTIAL = "sequential"
    SLURP = "slurp"
    DIRECT = "direct"
    COLLAPSED = "collapsed"
    POISONS = "poisons"
    SILENT = "silent"
    FORBIDDEN = "forbidden"
    GATE = "gate"
    REQUIRES = "requires"


ADMITTING = (RuleKind.SEQUENTIAL, RuleKind.SLURP, RuleKind.DIRECT)
REFUSING = frozenset({RuleKind.COLLAPSED, RuleKind.POISONS, RuleKind.SILENT, RuleKind.FORBIDDEN})


class Verified(StrEnum):
    """How a fact was made sure of: read in the code, replayed with its graph, or run for real."""

    READ = "read"
    REPLAYED = "replayed"
    RUN = "run"


class Stage(StrEnum):
    """The part of a schema change that a repository or branch belongs to, in the order of running."""

    EXPAND = "expand"
    MIGRATE = "migrate"
    CONTRACT = "contract"


STAGES = tuple(Stage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """The marker that a release leaves: alembic heads, or else versions of migrate repositories.

    `until` names the last package version that leaves it; empty: every later one does.
    """

    alembic: frozenset[str] = frozenset()
    migrate: Mapping[str, int] = field(default_factory=dict)
    until: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaTest:
    """A question about the marker of a hop's starting release; every part that is given must hold."""

    database: str
    alembic: bool | None = None
    migrate_below: Mapping[str, int] = field(default_factory=dict)
    migrate_at_least: Mapping[str, int] = field(default_factory=dict)
    migrate_missing: frozenset[str] = frozenset()

    def holds(self, marker: Marker) -> bool:
        """Say whether a database with `marker` passes."""
        rows = marker.migrate
        return (
            (self.alembic is None or self.alembic == bool(marker.alembic))
            and (not self.migrate_below or any(rows.get(r, n) < n for r, n in self.migrate_below.items()))
            and all(rows.get(r, n - 1) >= n for r, n in self.migrate_at_least.items())
            and self.migrate_missing.isdisjoint(rows)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Another component that must stand at `release` or later, before or after the hop."""

    service: str
    release: str
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One fact about hops, and which hops it applies to.

    Attributes:
        origins: releases that the hop starts from.
        goals: releases that it leads to.
        pairs: when given, exactly these hops, as (start, goal) indexes.
        when: a question about the starting schema.
        met_by: for a gate, releases whose code can meet it; an older start is refused.
        exposed: what makes a fleet exposed to a bug; the rule is then a gate, not a refusal.
        outcome: what the tool does when the hop is tried all the same.
        leaves: a version table that such a try leaves behind, empty.
    """

    id: str
    kind: RuleKind
    reason: str
    source: str
    verified: Verified
    origins: Span = EVERY
    goals: Span = EVERY
    pairs: frozenset[tuple[int, int]] = frozenset()
    when: SchemaTest | None = None
    met_by: Span | None = None
    needs: Need | None = None
    exposed: str = ""
    meet: str = ""
    outcome: str = ""
    leaves: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A fact that no rule can hold, for the releases it is true of."""

    id: str
    text: str
    source: str
    verified: Verified
    releases: Span = EVERY


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
        release = self.series.find(name)
        for each in self.releases:
            if each.release == release:
                return each
        have = [each.release.id for each in self.releases]
        raise CatalogError(
            f"{self.name} has no release {release.id}",
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
