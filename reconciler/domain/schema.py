"""The version markers that a migration tool keeps in a database, as they were seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
