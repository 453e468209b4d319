"""SQLite files, opened so that nothing can be written and nothing is created."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, NullPool, Select, create_engine, literal_column, select, table, text
from sqlalchemy.sql import quoted_name

from reconciler.domain.dburl import DbEndpoint

_CHUNK = 500
_TICKS = 10_000  # SQLite's instructions between two looks at the clock
_BUSY_S = 5.0

_COLUMNS = """
    SELECT m.name, c.name, c.type, c.hidden FROM sqlite_master AS m JOIN pragma_table_xinfo(m.name) AS c
    WHERE m.type = 'table' UNION ALL SELECT m.name, m.type, m.tbl_name, NULL FROM sqlite_master AS m"""


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
