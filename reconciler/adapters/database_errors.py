"""What the database drivers' errors mean for somebody who wants to read."""

from __future__ import annotations

import ssl

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from reconciler.domain.reasons import Reason

_AWAY, _FOREIGN = Reason.DATABASE_UNREACHABLE, Reason.DATABASE_FOREIGN
_UNTRUSTED = Reason.DATABASE_UNTRUSTED

MISSING = 1049
"""MariaDB's number for a database that does not exist."""

IN_CLEAR = 2059
"""MariaDB's number for a way to log in that cannot be used."""

# https://mariadb.com/kb/en/mariadb-error-code-reference/
_MARIADB: dict[int, tuple[Reason, str]] = {
    1040: (_AWAY, "the server has too many connections"),
    1044: (_AWAY, "the account has no rights on this database"),
    1045: (_AWAY, "the server refuses the user or the password"),
    1047: (_AWAY, "the Galera node is not ready"),
    1054: (_FOREIGN, "a table has other columns than its name promises"),
    1130: (_AWAY, "the server refuses connections from this machine"),
    1142: (_AWAY, "the account may not read a table"),
    1143: (_AWAY, "the account may not read a column"),
    1146: (_AWAY, "a table vanished while it was read"),
    1205: (_AWAY, "a lock was not given up in time"),
    1213: (_AWAY, "the question lost a deadlock"),
    1317: (_AWAY, "the question was interrupted"),
    1412: (_AWAY, "the schema is being changed"),
    2002: (_AWAY, "the server cannot be reached"),
    2003: (_AWAY, "the server cannot be reached"),
    2005: (_AWAY, "the server's name is unknown"),
    2006: (_AWAY, "the connection was lost"),
    2013: (_AWAY, "the connection was lost, or the server did not answer in time"),
    2014: (_AWAY, "the server speaks out of turn"),
    IN_CLEAR: (_AWAY, "the server wants the password in a way that is not known, or that would show it: ask for TLS"),
    2026: (_UNTRUSTED, "the server speaks no TLS, and the URL asks for it"),
}
# https://www.sqlite.org/rescode.html
_SQLITE: dict[str, tuple[Reason, str]] = {
    "SQLITE_BUSY": (_AWAY, "the file is locked"),
    "SQLITE_CANTOPEN": (_AWAY, "the file cannot be opened"),
    "SQLITE_CORRUPT": (_AWAY, "the file is damaged"),
    "SQLITE_ERROR": (_FOREIGN, "a table has other columns than its name promises, or needs a module that is not here"),
    "SQLITE_INTERRUPT": (_AWAY, "reading took too long"),
    "SQLITE_IOERR": (_AWAY, "the file cannot be read"),
    "SQLITE_LOCKED": (_AWAY, "a table is locked"),
    "SQLITE_NOTADB": (_FOREIGN, "the file is no SQLite database"),
    "SQLITE_PERM": (_AWAY, "the file may not be read"),
    "SQLITE_READONLY": (_AWAY, "the file holds an unfinished transaction that only its writer can take back"),
}


def code(error: SQLAlchemyError) -> int | str:
    """Return the driver's own code, 0 when it has none."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    name = getattr(cause, "sqlite_errorname", None)
    if isinstance(name, str):
        return "_".join(name.split("_")[:2])  # SQLITE_IOERR_READ and its like
    number = cause.args[0] if cause is not None and cause.args else 0
    return number if isinstance(number, int) else 0


def explain(error: SQLAlchemyError) -> tuple[Reason, str]:
    """Return a reason and a sentence; the driver's own words are left out, they may hold what must not be shown."""
    if (tls := _tls_failure(error)) is not None:
        return _UNTRUSTED, tls
    found = code(error)
    known = _SQLITE.get(found) if isinstance(found, str) else _MARIADB.get(found)
    return known or (_AWAY, f"the driver failed with {type(error).__name__} {found}")


def explain_os(error: OSError, timeout_s: float) -> tuple[Reason, str]:
    """Return a reason and a sentence for what failed before the server was asked, or when it did not answer in time."""
    if isinstance(error, ssl.SSLError):
        return _UNTRUSTED, _explain_tls(error)
    if error.filename:
        return _AWAY, f"{error.filename}: {error.strerror}"
    return _AWAY, error.strerror or f"no answer within {timeout_s:g} s"


def explain_mangled(error: Exception) -> tuple[Reason, str]:
    """Return a reason and a sentence for an answer that the driver could not make out."""
    return _AWAY, f"what answers speaks no SQL that the driver understands ({type(error).__name__})"


def _explain_tls(error: ssl.SSLError) -> str:
    """Say why TLS failed; the words are those of OpenSSL, none of the server's."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is refused: {error.verify_message}"
    return f"TLS failed: {error.reason or error.strerror}"


def _tls_failure(error: SQLAlchemyError) -> str | None:
    """Find what the driver wraps into "cannot connect"."""
    cause = getattr(error.orig, "original_exception", None) if isinstance(error, DBAPIError) else None
    return _explain_tls(cause) if isinstance(cause, ssl.SSLError) else None
