"""The services' databases, read by SQL and never written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from types import ModuleType
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from reconciler.adapters import database_mariadb, database_sqlite
from reconciler.adapters.database_errors import explain, explain_mangled, explain_os
from reconciler.adapters.database_marker import ForeignError, read_marker
from reconciler.adapters.database_rows import read_rows
from reconciler.adapters.threads import in_thread
from reconciler.domain.dburl import DbEndpoint, parse_url
from reconciler.domain.desired import Database
from reconciler.domain.observation import Absent, Known, Observed, Unknown
from reconciler.domain.reasons import Reason
from reconciler.domain.row_probe import RowProbe, Rows, flaw_of
from reconciler.domain.schema import SchemaMarker
from reconciler.domain.structure import Structure

T = TypeVar("T")

_ENGINES = {"sqlite": database_sqlite, "mariadb": database_mariadb}
_GRACE_S = 5.0  # the drivers end by themselves; only a call that hangs runs into the outer deadline


Reader = Callable[[ModuleType, Connection], T]


def utc_now() -> datetime:
    """Return the wall time."""
    return datetime.now(UTC)


class SqlDatabases:
    """MariaDB, MySQL and SQLite; each question has a connection and a thread of its own."""

    def __init__(
        self,
        *,
        marker_timeout_s: float = 20,
        fingerprint_timeout_s: float = 3600,
        rows_timeout_s: float = 300,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._marker_timeout_s = marker_timeout_s
        self._fingerprint_timeout_s = fingerprint_timeout_s
        self._rows_timeout_s = rows_timeout_s
        self._now = now

    async def marker(self, database: Database, password: str | None) -> Observed[SchemaMarker]:
        """Read the version tables; Absent when the database does not exist, Unknown when nobody can tell."""
        return await self._ask(database, password, _marker, self._marker_timeout_s)

    async def fingerprint(self, database: Database, password: str | None) -> Observed[str]:
        """Digest names of tables and columns and all rows, in whatever order they lie."""
        return await self._ask(database, password, _fingerprint, self._fingerprint_timeout_s)

    async def structure(self, database: Database, password: str | None) -> Observed[Structure]:
        """Read tables, columns and keys in two queries."""
        return await self._ask(database, password, _structure, self._marker_timeout_s)

    async def rows(self, database: Database, password: str | None, probe: RowProbe) -> Observed[Rows]:
        """Count the rows that a probe finds, in a read-only transaction; Unknown when its SQL is not one SELECT."""
        if flaw := flaw_of(probe.sql):
            text = f"database {database.name}: the probe was not asked: {flaw}"
            return Unknown(Reason.PROBE_INVALID, text, self._now())
        return await self._ask(database, password, partial(_rows, probe), self._rows_timeout_s)

    async def _ask(self, database: Database, password: str | None, read: Reader[T], timeout_s: float) -> Observed[T]:
        try:
            endpoint = parse_url(database.url)
        except ValueError as error:
            return Unknown(Reason.DATABASE_UNREACHABLE, f"database {database.name}: {error}", self._now())
        try:
            value = await in_thread(lambda: _read(endpoint, password, read, timeout_s), timeout_s + _GRACE_S)
        except ForeignError as error:
            reason, text = Reason.DATABASE_FOREIGN, str(error)
        except SQLAlchemyError as error:
            reason, text = explain(error)
        except OSError as error:  # TimeoutError too
            reason, text = explain_os(error, timeout_s)
        except Exception as error:  # noqa: BLE001 - the drivers raise whatever they stumble over in a mangled answer
            reason, text = explain_mangled(error)
        else:
            return Absent(self._now()) if value is None else Known(value, self._now())
        return Unknown(reason, f"database {database.name} ({endpoint}): {text}", self._now())


def _read(endpoint: DbEndpoint, password: str | None, read: Reader[T], timeout_s: float) -> T | None:
    engine = _ENGINES[endpoint.engine]
    with engine.connected(endpoint, password, timeout_s) as connection:
        return None if connection is None else read(engine, connection)


def _marker(engine: ModuleType, connection: Connection) -> SchemaMarker:
    return read_marker(connection, engine.tables(connection))


def _rows(probe: RowProbe, engine: ModuleType, connection: Connection) -> Rows:
    return read_rows(connection, engine.tables(connection), probe)


def _fingerprint(engine: ModuleType, connection: Connection) -> str:
    digest: str = engine.fingerprint(connection)
    return digest


def _structure(engine: ModuleType, connection: Connection) -> Structure:
    found: Structure = engine.structure(connection)
    return found
