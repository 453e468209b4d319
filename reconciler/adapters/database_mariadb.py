"""MariaDB and MySQL, asked in a read-only transaction on one snapshot."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import quoted_name

from reconciler.adapters.database_errors import MISSING, code
from reconciler.adapters.database_marker import ForeignError
from reconciler.domain.dburl import DbEndpoint

_CONNECT_S = 10
_LOCK_S = 5  # a question never queues long behind a schema change, nor makes others queue behind itself

_TABLES = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"
)
_COLUMNS = """
    SELECT table_name, column_name, column_type, is_nullable, COALESCE(collation_name, '')
    FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position"""


@contextmanager
def connected(endpoint: DbEndpoint, password: str | None, timeout_s: float) -> Iterator[Connection | None]:
    """Connect and begin; None when the server has no such database."""
    engine = create_engine(_url(endpoint, password), connect_args=_arguments(endpoint, timeout_s), poolclass=NullPool)
    try:
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    except DBAPIError as error:
        if code(error) != MISSING:
            raise
        yield None
        return
    with connection:
        for statement in (
            f"SET SESSION lock_wait_timeout = {_LOCK_S}, innodb_lock_wait_timeout = {_LOCK_S}",
            "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        ):
            connection.exec_driver_sql(statement)
        yield connection
        connection.exec_driver_sql("ROLLBACK")


def tables(connection: Connection) -> frozenset[str]:
    """List all tables that the account may see."""
    return frozenset(str(row[0]) for row in connection.execute(text(_TABLES)))


def fingerprint(connection: Connection) -> str:
    """Digest the structure and the server's checksum of each table, which adds up rows in whatever order they lie."""
    digest = hashlib.sha256()
    for row in connection.execute(text(_COLUMNS)):
        digest.update(repr(tuple(row)).encode())
    quote = connection.dialect.identifier_preparer.quote
    for name in sorted(tables(connection)):
        quoted = quote(quoted_name(name, quote=True))
        count = connection.execute(text(f"SELECT COUNT(*) FROM {quoted}")).scalar_one()  # noqa: S608 - quoted
        checksum = connection.execute(text(f"CHECKSUM TABLE {quoted} EXTENDED")).one()[1]
        if checksum is None:
            raise ForeignError(f"the server has no checksum for the table {name!r}")
        digest.update(repr((name, count, checksum)).encode())
    return f"sha256:{digest.hexdigest()}"


def _url(endpoint: DbEndpoint, password: str | None) -> URL:
    url = URL.create("mysql+pymysql", username=endpoint.user or None, database=endpoint.dbname)
    if not endpoint.socket:
        url = url.set(host=endpoint.host, port=endpoint.port)
    return url.set(password=password) if password is not None else url


def _arguments(endpoint: DbEndpoint, timeout_s: float) -> dict[str, object]:
    arguments: dict[str, object] = {
        "connect_timeout": _CONNECT_S,
        "read_timeout": max(1, int(timeout_s)),
        "write_timeout": _CONNECT_S,
        "charset": "utf8mb4",
        "local_infile": False,
    }
    if endpoint.socket:
        arguments["unix_socket"] = endpoint.socket
    if endpoint.ca_file:
        arguments["ssl"] = {"ca": endpoint.ca_file, "check_hostname": True}
    return arguments
