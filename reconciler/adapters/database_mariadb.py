"""MariaDB and MySQL, asked in a read-only transaction on one snapshot."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymysql.err import OperationalError
from sqlalchemy import URL, Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import quoted_name

from reconciler.adapters.database_errors import IN_CLEAR, MISSING, code
from reconciler.adapters.database_marker import ForeignError
from reconciler.adapters.database_structure import ROWS, Column, KeyColumn, key_column, rule
from reconciler.adapters.database_structure import structure as normal_form
from reconciler.domain.dburl import DbEndpoint, Tls
from reconciler.domain.structure import Part, Structure

_CONNECT_S = 10
_IN_CLEAR = ("mysql_clear_password", "dialog", "mysql_old_password")
_LOCK_S = 5  # a question never queues long behind a schema change, nor makes others queue behind itself

# Besides base tables, sequences and system-versioned tables hold rows; so may what a later server brings.
_HOLDS_ROWS = "table_schema = DATABASE() AND table_type NOT IN ('VIEW', 'SYSTEM VIEW')"
_TABLES = f"SELECT table_name FROM information_schema.tables WHERE {_HOLDS_ROWS}"  # noqa: S608 - a constant
_COLUMNS = """
    SELECT table_name, column_name, column_type, is_nullable, COALESCE(collation_name, '')
    FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position"""
# Unions, no joins: a join makes the server fill its views of the schema anew for every row, which takes seconds.
_STRUCTURE = f"""
    SELECT 'table', table_name, NULL, NULL, NULL, NULL, NULL, table_collation
    FROM information_schema.tables WHERE {_HOLDS_ROWS}
    UNION ALL
    SELECT 'column', table_name, column_name, column_type, is_nullable, column_default, extra, collation_name
    FROM information_schema.columns WHERE table_schema = DATABASE() LIMIT :rows"""  # noqa: S608 - a constant
_KEYS = """
    SELECT 'index', table_name, index_name, seq_in_index, column_name, non_unique, sub_part, index_type
    FROM information_schema.statistics WHERE table_schema = DATABASE()
    UNION ALL
    SELECT 'foreign', table_name, constraint_name, ordinal_position, column_name, referenced_table_name,
           referenced_column_name, NULL
    FROM information_schema.key_column_usage
    WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL
    UNION ALL
    SELECT 'rule', table_name, constraint_name, NULL, NULL, delete_rule, update_rule, NULL
    FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE() LIMIT :rows"""


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
    """List all that holds rows and that the account may see."""
    return frozenset(str(row[0]) for row in connection.execute(text(_TABLES)))


def fingerprint(connection: Connection) -> str:
    """Digest the structure and the server's checksum of each table, which adds up rows in whatever order they lie.

    The checksum of a system-versioned table covers its history, that of a sequence where it stands.
    """
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


def structure(connection: Connection) -> Structure:
    """Read the structure in two queries; views are none of it.

    MariaDB shows the rules of foreign keys only to who may do more than SELECT.
    """
    limit = {"rows": ROWS + 1}
    rows = connection.execute(text(_STRUCTURE), limit).fetchall()
    collations = {row[1]: row[7] for row in rows if row[0] == "table"}
    columns = [
        Column(
            row[1],
            row[2],
            _text(row[3]),
            row[4] == "YES",
            _optional(row[5]),
            _extra(row[6]),
            row[7],
            collations[row[1]],
        )
        for row in rows
        if row[0] == "column" and row[1] in collations
    ]
    rows = connection.execute(text(_KEYS), limit).fetchall()
    rules = {(row[1], row[2]): rule("delete", row[5]) + rule("update", row[6]) for row in rows if row[0] == "rule"}
    keys = [_key(row, rules) for row in rows if row[0] != "rule"]
    rules_seen = all((each.table, each.name) in rules for each in keys if each.part is Part.FOREIGN)
    return normal_form("mariadb", columns, keys, rules_seen=rules_seen)


def _key(row: Sequence[Any], rules: Mapping[tuple[str, str], str]) -> KeyColumn:
    what, table, name, position, column, *rest = row
    if what == "foreign":
        tail = rules.get((table, name), "")
        return KeyColumn(Part.FOREIGN, table, name, position, key_column(column), tail, (rest[0], rest[1]))
    part = Part.PRIMARY if name == "PRIMARY" else Part.INDEX if int(rest[0]) else Part.UNIQUE
    tail = "" if rest[2] == "BTREE" else f" {str(rest[2]).lower()}"
    return KeyColumn(part, table, name, int(position), key_column(column, rest[1]), tail)


def _extra(value: object) -> str:
    """Level what servers add to the word of the statement; the default itself is told elsewhere."""
    told = _text(value).lower().replace("current_timestamp()", "current_timestamp")
    return told.replace("default_generated", "").strip()


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)


def _text(value: object) -> str:
    """MySQL gives some columns of information_schema as bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


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
    return arguments | (_tls(endpoint.tls) if endpoint.tls else {"auth_plugin_map": dict.fromkeys(_IN_CLEAR, _Refused)})


class _Refused:
    """Stands for ways to log in by which whoever answers is told the password itself: only TLS proves who that is."""

    def __init__(self, connection: object) -> None:
        pass

    def authenticate(self, _packet: object) -> None:
        raise OperationalError(IN_CLEAR, "the password is not sent in clear")


def _tls(tls: Tls) -> dict[str, object]:
    """Ask for TLS: the driver refuses a server that has none, or whose certificate does not bear its name.

    Raises OSError, which names the file, when one cannot be read; the driver's own would not.
    """
    for path in filter(None, (tls.ca, tls.cert, tls.key)):
        Path(path).open("rb").close()
    own = {"ssl_cert": tls.cert, "ssl_key": tls.key} if tls.cert else {}
    return {"ssl_ca": tls.ca, "ssl_verify_cert": True, "ssl_verify_identity": True, **own}
