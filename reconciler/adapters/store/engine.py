"""Connections to the store: how they are opened, and what their errors mean for an operator."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from reconciler.domain.reasons import TEXTS, Reason
from reconciler.errors import JournalError

BUSY_TIMEOUT_MS = 5_000

TROUBLE = {
    sqlite3.SQLITE_FULL: (Reason.JOURNAL_UNWRITABLE, "the disk is full", "Free space; the daemon goes on by itself."),
    sqlite3.SQLITE_BUSY: (Reason.JOURNAL_UNWRITABLE, "the store is locked by another process", "Find it with fuser."),
    sqlite3.SQLITE_READONLY: (
        Reason.JOURNAL_UNWRITABLE,
        "the store is read-only",
        "Check the mount and who owns file and folder; run commands as the daemon's user or root.",
    ),
    sqlite3.SQLITE_IOERR: (
        Reason.JOURNAL_DISK_FAILED,
        "the disk failed; what it holds of the last write is unknown, and nothing is written any more",
        TEXTS[Reason.JOURNAL_DISK_FAILED][1],
    ),
    sqlite3.SQLITE_CANTOPEN: (
        Reason.JOURNAL_UNREADABLE,
        "the store cannot be opened",
        "Check that its folder exists; run commands as the daemon's user or root, who may write beside the file.",
    ),
    sqlite3.SQLITE_CORRUPT: (Reason.JOURNAL_BROKEN, "the file is damaged", TEXTS[Reason.JOURNAL_BROKEN][1]),
    sqlite3.SQLITE_NOTADB: (Reason.JOURNAL_BROKEN, "the file is no store", TEXTS[Reason.JOURNAL_BROKEN][1]),
}
"""What SQLite's primary result codes (https://www.sqlite.org/rescode.html) mean here."""


_ERRNOS = {
    errno.ENOSPC: sqlite3.SQLITE_FULL,
    errno.EDQUOT: sqlite3.SQLITE_FULL,
    errno.EROFS: sqlite3.SQLITE_READONLY,
}


class DiskError(JournalError):
    """The disk failed under the store; what it holds of the last write is unknown until it is opened anew."""


def path_of(url: str) -> Path:
    """Return the file behind a store's URL; raises JournalError for anything but a SQLite file."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise _unsupported("the store's URL cannot be read") from error
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise _unsupported(f"the store {parsed.render_as_string()} is no SQLite file")
    return Path(str(parsed.database))


def writable(url: str, *, create: bool = False, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Engine:
    """Open a store for reading and writing; each transaction takes the write lock at its start."""
    pragmas = (f"busy_timeout = {busy_timeout_ms}", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")
    return _prepared(_engine(url, "rwc" if create else "rw"), pragmas, "BEGIN IMMEDIATE")


def readable(url: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Engine:
    """Open an existing store for reading only."""
    return _prepared(_engine(url, "ro"), (f"busy_timeout = {busy_timeout_ms}", "query_only = ON"), "BEGIN")


def place_of(engine: Engine) -> str:
    """Return the store's path, for messages."""
    return unquote(str(engine.url.database).removeprefix("file:"))


def require_sound(engine: Engine) -> None:
    """Raise JournalError when pages of the file are damaged; reads the whole file once."""
    with explained(engine), engine.begin() as connection:
        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if found != "ok":
        reason, text, hint = TROUBLE[sqlite3.SQLITE_CORRUPT]
        raise JournalError(f"{place_of(engine)}: {text} ({found})", reason=reason, hint=hint)


def _engine(url: str, mode: str) -> Engine:
    query = {"mode": mode, "uri": "true"}
    return create_engine(URL.create("sqlite", database=f"file:{quote(str(path_of(url)))}", query=query))


def _prepared(engine: Engine, pragmas: tuple[str, ...], begin: str) -> Engine:
    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        connection.text_factory = _text
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _text(raw: bytes) -> str:
    """Read what a damaged file holds too: what is no UTF-8 makes an entry unfit, and the entry can be named."""
    return raw.decode("utf-8", "surrogateescape")


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn the driver's errors into JournalError; DiskError when what was written is unknown."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        cause = getattr(error, "orig", error)
        raise _explanation(place_of(engine), getattr(cause, "sqlite_errorcode", 0), cause) from error


def of_the_disk(place: str, error: OSError) -> JournalError:
    """Say what an error of the operating system under the store means, as SQLite would have told it."""
    return _explanation(place, _ERRNOS.get(error.errno or 0, sqlite3.SQLITE_IOERR), error)


def _explanation(place: str, code: int, error: object) -> JournalError:
    code &= 0xFF  # the primary code is the low byte of an extended one
    unknown = (Reason.JOURNAL_UNREADABLE, "the store cannot be used", TEXTS[Reason.JOURNAL_UNREADABLE][1])
    reason, text, hint = TROUBLE.get(code, unknown)
    kind = DiskError if code == sqlite3.SQLITE_IOERR else JournalError
    return kind(f"{place}: {text} ({error})", reason=reason, hint=hint)


def _unsupported(text: str) -> JournalError:
    return JournalError(
        text,
        reason=Reason.JOURNAL_UNREADABLE,
        hint="Set `store.url` to sqlite:////absolute/path/journal.sqlite.",
    )
