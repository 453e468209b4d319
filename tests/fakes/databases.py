"""Databases in memory."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

from reconciler.domain.desired import Database
from reconciler.domain.observation import Absent, Known, Observed, Unknown
from reconciler.domain.reasons import Reason
from reconciler.domain.row_probe import SAMPLES, RowProbe, Rows, flaw_of, key_of
from reconciler.domain.schema import SchemaMarker
from reconciler.domain.structure import Structure, read_structure

Row = tuple[object, ...]


@dataclass
class Content:
    """What lies in one database; `tables` beside the version tables, name to rows."""

    alembic: Sequence[object] | None = None
    migrate: Sequence[tuple[object, object]] | None = None
    tables: dict[str, list[Row]] = field(default_factory=dict)


class MemoryDatabases:
    """Contents by URL; a URL that is not there is an absent database, one in `away` cannot be reached.

    What is in `structures` has that structure instead of the one its tables have. Of the next `unsure` questions nobody
    can tell.
    """

    def __init__(self) -> None:
        self.contents: dict[str, Content] = {}
        self.away: set[str] = set()
        self.unsure = 0
        self.structures: dict[str, Structure] = {}
        self.at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    async def marker(self, database: Database, password: str | None) -> Observed[SchemaMarker]:
        content = self._content(database)
        if not isinstance(content, Content):
            return content
        heads, rows = content.alembic, content.migrate
        odd = [h for h in heads or () if not isinstance(h, str)] + [r for r in rows or () if not isinstance(r[1], int)]
        if odd or len(heads or ()) > 64 or len(dict(rows or ())) < len(rows or ()):
            return Unknown(Reason.DATABASE_FOREIGN, f"database {database.name}: odd version table", self.at)
        marker = SchemaMarker(
            alembic=None if heads is None else frozenset(str(head) for head in heads),
            migrate=None if rows is None else {str(name): int(str(version)) for name, version in rows},
            tables=len(content.tables),
        )
        return Known(marker, self.at)

    async def fingerprint(self, database: Database, password: str | None) -> Observed[str]:
        content = self._content(database)
        if not isinstance(content, Content):
            return content
        tables = {name: sorted(map(repr, rows)) for name, rows in content.tables.items()}
        versions = (sorted(map(repr, content.alembic or ())), sorted(map(repr, content.migrate or ())))
        told = repr((sorted(tables.items()), versions, content.alembic is None, content.migrate is None))
        return Known(f"sha256:{hashlib.sha256(told.encode()).hexdigest()}", self.at)

    async def structure(self, database: Database, password: str | None) -> Observed[Structure]:
        content = self._content(database)
        if not isinstance(content, Content):
            return content
        ours = read_structure("memory", [line for name in content.tables for line in _lines(name)])
        return Known(self.structures.get(database.url, ours), self.at)

    async def rows(self, database: Database, password: str | None, probe: RowProbe) -> Observed[Rows]:
        content = self._content(database)
        if not isinstance(content, Content):
            return content
        if flaw := flaw_of(probe.sql):
            return Unknown(Reason.PROBE_INVALID, f"database {database.name}: {flaw}", self.at)
        if missing := tuple(name for name in probe.tables if name not in content.tables):
            return Known(Rows(count=0, missing=missing), self.at)
        with closing(sqlite3.connect(":memory:")) as connection:
            for name, rows in content.tables.items():
                connection.execute(f"CREATE TABLE {name} (id, name, secret)")
                connection.executemany(f"INSERT INTO {name} VALUES (?, ?, ?)", rows)  # noqa: S608
            try:
                found = connection.execute(probe.sql).fetchall()
            except sqlite3.OperationalError as error:
                return Unknown(Reason.DATABASE_FOREIGN, f"database {database.name}: {error}", self.at)
        return Known(Rows(count=len(found), sample=tuple(sorted(map(key_of, found[:SAMPLES])))), self.at)

    def _content(self, database: Database) -> Content | Absent | Unknown:
        if database.url in self.away or self.unsure:
            self.unsure = max(0, self.unsure - 1)
            return Unknown(Reason.DATABASE_UNREACHABLE, f"database {database.name}: cut off", self.at)
        return self.contents.get(database.url) or Absent(self.at)


def _lines(table: str) -> list[str]:
    """Write a table as it is made everywhere: id, name and secret."""
    columns = ("id int not null", "name varchar(100) null", "secret blob null")
    return [f"table {table}", f"primary {table} (id)", *(f"column {table}.{column}" for column in columns)]
