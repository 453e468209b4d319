"""The version markers that a migration tool keeps in a database as they were seen, and what they tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reconciler.domain.comparison import Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaMarker:
    """What one database says about its schema.

    Attributes:
        alembic: the rows of `alembic_version`; None: there is no such table; empty: the table has no row.
        migrate: repository to version, the rows of `migrate_version`; None: there is no such table.
        tables: how many tables there are besides these two.
    """

    alembic: frozenset[str] | None = None
    migrate: Mapping[str, int] | None = None
    tables: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the marker as plain JSON data, in a stable order."""
        return {
            "alembic": None if self.alembic is None else sorted(self.alembic),
            "migrate": None if self.migrate is None else dict(sorted(self.migrate.items())),
            "tables": self.tables,
        }


class SchemaState(StrEnum):
    """Where a database stands: at releases, between two, empty, or not to be told."""

    AT = "at"
    BETWEEN = "between"
    UNKNOWN = "unknown"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureFinding:
    """What one database's structure says.

    Attributes:
        releases: those whose structure it has, but for harmless differences.
        nearest: where the marker's releases are not among them, the one that differs least.
        comparison: with `nearest`.
    """

    releases: tuple[str, ...] = ()
    nearest: str = ""
    comparison: Comparison | None = None
    text: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the finding in the shape of the `identify` contract."""
        counts = {} if self.comparison is None else self.comparison.counts
        return {
            "releases": list(self.releases),
            "nearest": self.nearest,
            "counts": {judgement.value: count for judgement, count in counts.items()},
            "text": self.text,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Identification:
    """What one database's marker and structure say.

    Attributes:
        releases: where it stands.
        between: the releases on both sides of an unfinished schema.
        claims: the releases whose marker it has, also where it does not stand at them.
        structure: None when it was not read.
    """

    marker: SchemaMarker
    state: SchemaState
    text: str
    releases: tuple[str, ...] = ()
    between: tuple[str, str] | None = None
    claims: tuple[str, ...] = ()
    structure: StructureFinding | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the finding in the shape of the `identify` contract."""
        return {
            "marker": self.marker.as_json(),
            "releases": list(self.releases),
            "state": self.state.value,
            "text": self.text,
            "structure": None if self.structure is None else self.structure.as_json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceIdentification:
    """What the markers of a service's databases say together."""

    service: str
    databases: Mapping[str, Identification]
    releases: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the findings in the shape of the `identify` contract."""
        return {
            "service": self.service,
            "databases": {name: found.as_json() for name, found in self.databases.items()},
            "releases": list(self.releases),
        }
