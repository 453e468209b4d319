"""The version tables of alembic and sqlalchemy-migrate, read as if somebody hostile had filled them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, column, func, select, table

from reconciler.domain.schema import SchemaMarker

ROWS = 64  # the most heads or repositories; OpenStack has nine repositories at worst (keystone, Liberty)
HEAD_CHARS = 64  # alembic makes the column VARCHAR(32)
REPOSITORY_CHARS = 250  # sqlalchemy-migrate's own limit

_HEAD = re.compile(r"[A-Za-z0-9_.@+-]+")


VERSION_TABLES = frozenset({"alembic_version", "migrate_version"})


class ForeignError(Exception):
    """The version tables hold what neither tool writes."""


def read_marker(connection: Connection, tables: Collection[str]) -> SchemaMarker:
    """Read both tables in at most two queries; `tables` are all of the database. Raises ForeignError."""
    return SchemaMarker(
        alembic=_heads(connection) if "alembic_version" in tables else None,
        migrate=_repositories(connection) if "migrate_version" in tables else None,
        tables=len(frozenset(tables) - VERSION_TABLES),
    )


def _heads(connection: Connection) -> frozenset[str]:
    rows = _rows(connection, "alembic_version", [_cut("version_num", HEAD_CHARS)])
    heads = [_head(row[0]) for row in rows]
    for head in heads:
        if heads.count(head) > 1:  # alembic would change both rows, and refuse
            raise ForeignError(f"alembic_version has more than one row for {head}")
    return frozenset(heads)


def _repositories(connection: Connection) -> Mapping[str, int]:
    columns = [_cut("repository_id", REPOSITORY_CHARS), column("version")]
    found: dict[str, int] = {}
    for name, version in _rows(connection, "migrate_version", columns):
        if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= REPOSITORY_CHARS:
            raise ForeignError("migrate_version names a repository that cannot be read")
        if not isinstance(version, int) or version < 0:
            raise ForeignError(f"migrate_version has no number for {name}")
        if name in found:
            raise ForeignError(f"migrate_version has more than one row for {name}")
        found[name] = version
    return dict(sorted(found.items()))


def _head(value: object) -> str:
    if not isinstance(value, str) or len(value) > HEAD_CHARS or not _HEAD.fullmatch(value):
        raise ForeignError("alembic_version holds what is no revision's name")
    return value


def _rows(connection: Connection, name: str, columns: Sequence[ColumnElement[Any]]) -> Sequence[Sequence[Any]]:
    rows = connection.execute(select(*columns).select_from(table(name)).limit(ROWS + 1)).fetchall()
    if len(rows) > ROWS:
        raise ForeignError(f"{name} has more than {ROWS} rows")
    return rows


def _cut(name: str, chars: int) -> ColumnElement[str]:
    """One character more than allowed is enough to tell, however much lies there."""
    return func.substr(column(name), 1, chars + 1)
