"""What a database says of its own schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SchemaMarker:
    """The version tables of one database as read.

    `alembic` are the rows of `alembic_version`, `migrate` the rows of `migrate_version` (repository to version);
    None means that the table does not exist, empty that it has no row. `tables` counts all tables.
    """

    alembic: frozenset[str] | None
    migrate: Mapping[str, int] | None
    tables: int
