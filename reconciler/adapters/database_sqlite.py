"""SQLite files, opened so that nothing can be written and nothing is created."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, NullPool, Select, create_engine, literal_column, select, table, text
from sqlalchemy.sql import quoted_name

from reconciler.adapters.database_structure import ROWS, Column, KeyColumn, key_column, rule
from reconciler.adapters.database_structure import structure as normal_form
from reconciler.domain.dburl import DbEndpoint
from reconciler.domain.structure import Part, Structure

_CHUNK = 500
_TICKS = 10_000  # SQLite's instructions between two looks at the clock
_BUSY_S = 5.0

_COLUMNS = """
    SELECT m.name, c.name, c.type, c.hidden FROM sqlite_master AS m JOIN pragma_table_xinfo(m.name) AS c
    WHERE m.type = 'table' UNION ALL SELECT m.name, m.type, m.tbl_name, NULL FROM sqlite_master AS m"""
_STRUCTURE = """
    SELECT m.name, c.name, c.type, c."notnull", c.dflt_value, c.pk
    FROM sqlite_master AS m JOIN pragma_table_xinfo(m.name) AS c
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite~_%' ESCAPE '~' LIMIT :rows"""
_KEYS = """
    SELECT 'index', m.name, i.name, x.seqno, x.name, i."unique", i.partial, NULL, NULL
    FROM sqlite_master AS m JOIN pragma_index_list(m.name) AS i JOIN pragma_index_info(i.name) AS x
    WHERE m.type = 'table' AND i.origin <> 'pk'
    UNION ALL
    SELECT 'foreign', m.name, f.id, f.seq, f."from", f."table", f."to", f.on_delete, f.on_update
    FROM sqlite_master AS m JOIN pragma_foreign_key_list(m.name) AS f WHERE m.type = 'table' LIMIT :rows"""


@contextmanager
def connected(endpoint: DbEndpoint, _password: str | None, timeout_s: float) -> Iterator[Connection | None]:
    """Open the file read-only, in one read transaction; None when there is no file."""
    try:
        Path(endpoint.path).stat()
    except FileNotFoundError:
        yield None
        return
    engine = create_engine("sqlite://", creator=lambda: _open(endpoint.path, timeout_s), poolclass=NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        yield connection


def tables(connection: Connection) -> frozenset[str]:
    """List all tables, without SQLite's own."""
    rows = connection.execute(
        text("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'")
    )
    return frozenset(str(row[0]) for row in rows)


def fingerprint(connection: Connection) -> str:
    """Hash every row by itself and add the hashes up, so that order does not matter and memory is bounded."""
    digest = hashlib.sha256()
    for row in sorted(_encoded(row) for row in connection.execute(text(_COLUMNS))):
        digest.update(hashlib.sha256(row).digest())
    names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"))
    for name in [str(row[0]) for row in names]:
        count, total = _sum(connection, name)
        digest.update(_encoded((name, count, f"{total:x}")))
    return f"sha256:{digest.hexdigest()}"


def structure(connection: Connection) -> Structure:
    """Read the structure in two queries; what SQLite does not keep, such as names of foreign keys, is left empty."""
    limit = {"rows": ROWS + 1}
    rows = connection.execute(text(_STRUCTURE), limit).fetchall()
    columns = [Column(row[0], row[1], row[2], not row[3], row[4], "", None, None) for row in rows]
    primary = [KeyColumn(Part.PRIMARY, row[0], "", row[5], key_column(row[1])) for row in rows if row[5]]
    return normal_form("sqlite", columns, [*primary, *map(_key, connection.execute(text(_KEYS), limit))])


def _key(row: Sequence[Any]) -> KeyColumn:
    what, table, name, position, column, *rest = row
    if what == "foreign":
        tail = rule("delete", rest[2]) + rule("update", rest[3])
        target = (str(rest[0]), str(rest[1] or ""))  # without a column it refers to the primary key
        return KeyColumn(Part.FOREIGN, table, f"_ibfk_{name}", position, key_column(column), tail, target)
    part = Part.UNIQUE if rest[0] else Part.INDEX
    return KeyColumn(part, table, str(name), position, key_column(column), " partial" if rest[1] else "")


def _sum(connection: Connection, name: str) -> tuple[int, int]:
    count = total = 0
    query: Select[Any] = select(literal_column("*")).select_from(table(quoted_name(name, quote=True)))
    for row in connection.execution_options(yield_per=_CHUNK).execute(query):
        count += 1
        total += int.from_bytes(hashlib.sha256(_encoded(row)).digest())
    return count, total % (1 << 256)


def _encoded(values: Iterable[object]) -> bytes:
    """Encode a row so that no two different rows look alike."""
    parts = []
    for value in values:
        content = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
        parts.append(b"%s:%d:%s" % (type(value).__name__.encode(), len(content), content))
    return b",".join(parts)


def _open(path: str, timeout_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(path)}?mode=ro", uri=True, timeout=min(_BUSY_S, timeout_s), isolation_level=None
    )
    end = time.monotonic() + timeout_s
    connection.set_progress_handler(lambda: time.monotonic() > end, _TICKS)
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")  # SQLite does not see to it
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")  # what the file defines runs no functions of ours
    return connection
