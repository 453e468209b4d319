"""The journal in a SQL store: one writer under a lease, any number of readers."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import Connection, Engine, Row, insert, select, update

from reconciler.adapters.store.engine import DiskError, explained, path_of, place_of, readable, require_sound, writable
from reconciler.adapters.store.lock import StoreLock
from reconciler.adapters.store.schema import migrate, require_current, version_of
from reconciler.adapters.store.tables import COMMANDS, DOCUMENTS, ENTRIES, HEAD
from reconciler.domain.canonical import canonical
from reconciler.domain.chain import Break, from_lines, seal, to_line
from reconciler.domain.journal import GENESIS, Command, Draft, Entry
from reconciler.domain.plan import Json
from reconciler.domain.reasons import TEXTS, Reason
from reconciler.errors import JournalError
from reconciler.ports import Clock


@dataclass(frozen=True, slots=True)
class Document:
    """The newest text of its name, for example the last pass report."""

    name: str
    body: Json
    at: datetime


class JournalReader:
    """Reads a store that a daemon may be writing at the same time; for one thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._entries: list[Entry] = []

    def read(self) -> Sequence[Entry]:
        """Return all entries in order; fetches and verifies only what is new since the last call."""
        with self._transaction() as connection:
            self._catch_up(connection)
        return tuple(self._entries)

    def commands(self) -> Sequence[Command]:
        """Return the operators' commands that were not answered yet, oldest first."""
        query = select(COMMANDS).where(COMMANDS.c.answered_at.is_(None)).order_by(COMMANDS.c.id)
        with self._transaction() as connection:
            return [_command_of(row) for row in connection.execute(query)]

    def document(self, name: str) -> Document | None:
        """Return the newest document of a name, None when there is none that can be read."""
        with self._transaction() as connection:
            row = connection.execute(select(DOCUMENTS).where(DOCUMENTS.c.name == name)).one_or_none()
        return _document_of(row) if row else None

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with explained(self._engine), self._engine.begin() as connection:
            yield connection

    def _catch_up(self, connection: Connection) -> None:
        last = self._entries[-1] if self._entries else None
        query = select(ENTRIES).where(ENTRIES.c.seq > (last.seq if last else 0)).order_by(ENTRIES.c.seq)
        found = from_lines((row._asdict() for row in connection.execute(query)), last)
        if isinstance(found, Break):
            raise self._broken(found.text)
        head = connection.execute(select(HEAD.c.seq, HEAD.c.hash)).one()
        newest = found[-1] if found else last
        if tuple(head) != ((newest.seq, newest.hash) if newest else (0, GENESIS)):
            raise self._broken(f"the newest entry should be number {head.seq} with hash {head.hash[:12]}")
        self._entries.extend(found)

    def _broken(self, what: str) -> JournalError:
        return JournalError(
            f"{place_of(self._engine)}: the journal's chain is broken: {what}",
            reason=Reason.JOURNAL_BROKEN,
            hint=TEXTS[Reason.JOURNAL_BROKEN][1],
        )


class SqlJournal(JournalReader):
    """The journal of the one daemon that holds the lease; made by `acquire`."""

    def __init__(self, engine: Engine, lock: StoreLock, clock: Clock, epoch: int) -> None:
        super().__init__(engine)
        self._lock = lock
        self._clock = clock
        self._epoch = epoch
        self._failed: DiskError | None = None

    @classmethod
    def acquire(cls, url: str, clock: Clock, holder: str = "") -> Self:
        """Take the lease under a new epoch, after checking the store and bringing it up to date.

        Raises JournalError: another daemon holds the store, it is newer than this program, damaged or not writable.
        """
        holder = holder or f"pid {os.getpid()} on {socket.gethostname()}"
        lock = StoreLock(path_of(url), holder)
        engine = writable(url, create=True)
        try:
            require_sound(engine)
            if version_of(engine):
                JournalReader(engine).read()  # nothing is written to a store that is broken
            migrate(engine)
            journal = cls(engine, lock, clock, _raise_epoch(engine, holder))
        except BaseException:
            engine.dispose()
            lock.release()
            raise
        return journal

    @staticmethod
    def reader(url: str) -> JournalReader:
        """Open a store to read from it only, beside a daemon or without one."""
        engine = readable(url)
        with explained(engine), engine.begin() as connection:
            require_current(connection)
        return JournalReader(engine)

    @property
    def epoch(self) -> int:
        """The epoch of the lease under which this process writes."""
        return self._epoch

    def append(self, drafts: Sequence[Draft]) -> Sequence[Entry]:
        """Write entries durably, all or none."""
        if not drafts:
            return ()
        with self._writing() as connection:
            entries = self._write(connection, drafts)
        self._entries.extend(entries)
        return entries

    def answer(self, command: Command, drafts: Sequence[Draft], text: str) -> Sequence[Entry]:
        """Write what a command led to and mark it answered; raises JournalError when it was answered before."""
        mark = (
            update(COMMANDS)
            .where(COMMANDS.c.id == command.id, COMMANDS.c.answered_at.is_(None))
            .values(answered_at=_moment(self._clock.now()), answer=_storable(text))
        )
        with self._writing() as connection:
            if connection.execute(mark).rowcount != 1:
                raise JournalError(
                    f"command {command.id} ({command.verb}) has an answer already or was never asked",
                    reason=Reason.JOURNAL_UNWRITABLE,
                    hint="Nothing was written; the next pass reads the open commands anew.",
                )
            entries = self._write(connection, drafts)
        self._entries.extend(entries)
        return entries

    def put_document(self, name: str, body: Json) -> None:
        """Keep a document, in place of the older one of its name."""
        line = {"name": name, "body": canonical(body), "at": _moment(self._clock.now())}
        with self._writing() as connection:
            if connection.execute(update(DOCUMENTS).where(DOCUMENTS.c.name == name).values(line)).rowcount == 0:
                connection.execute(insert(DOCUMENTS).values(line))

    def close(self) -> None:
        """Give the lease up."""
        super().close()
        self._lock.release()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Open a transaction under the lease.

        After a disk error nothing is written any more: a second fsync may report success for data that is lost
        (https://wiki.postgresql.org/wiki/Fsync_Errors).
        """
        if self._failed:
            raise self._failed.with_traceback(None)
        try:
            with self._transaction() as connection:
                self._require_lease(connection)
                yield connection
        except DiskError as error:
            self._failed = error
            raise

    def _require_lease(self, connection: Connection) -> None:
        now = connection.execute(select(HEAD.c.epoch, HEAD.c.holder)).one()
        if now.epoch != self._epoch:
            raise JournalError(
                f"the lease of epoch {self._epoch} is lost: {now.holder} took the store under epoch {now.epoch}",
                reason=Reason.JOURNAL_LEASE_LOST,
                hint=TEXTS[Reason.JOURNAL_LEASE_LOST][1],
            )

    def _write(self, connection: Connection, drafts: Sequence[Draft]) -> list[Entry]:
        """Seal drafts behind what the store holds: more than was read, when a commit's success was not heard of."""
        self._catch_up(connection)
        entries: list[Entry] = []
        at = self._clock.now()
        prev = self._entries[-1].hash if self._entries else GENESIS
        for seq, draft in enumerate(drafts, len(self._entries) + 1):
            entries.append(seal(draft, seq, at, prev))
            prev = entries[-1].hash
        if entries:
            connection.execute(insert(ENTRIES), [to_line(entry) for entry in entries])
            connection.execute(update(HEAD).values(seq=entries[-1].seq, hash=entries[-1].hash))
        return entries


class Inbox:
    """Where the command line leaves commands for the daemon, from another process, without the lease."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._clock = clock
        self._engine = writable(url)
        with explained(self._engine), self._engine.begin() as connection:
            require_current(connection)

    def ask(self, verb: str, subject: str, by: str, why: str) -> int:
        """Leave a command durably and return its id; the daemon's next pass carries it out."""
        texts = {"verb": verb, "subject": subject, "by": by, "why": why}
        line = {name: _storable(text) for name, text in texts.items()} | {"at": _moment(self._clock.now())}
        with explained(self._engine), self._engine.begin() as connection:
            return int(connection.execute(insert(COMMANDS).values(line).returning(COMMANDS.c.id)).scalar_one())

    def answer_to(self, command_id: int) -> str | None:
        """Return the daemon's answer to a command, None while there is none."""
        with explained(self._engine), self._engine.begin() as connection:
            return connection.scalar(select(COMMANDS.c.answer).where(COMMANDS.c.id == command_id))

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


def _raise_epoch(engine: Engine, holder: str) -> int:
    with explained(engine), engine.begin() as connection:
        connection.execute(update(HEAD).values(epoch=HEAD.c.epoch + 1, holder=holder[:255]))
        return int(connection.execute(select(HEAD.c.epoch)).scalar_one())


def _command_of(row: Row[Any]) -> Command:
    return Command(row.id, row.verb, row.subject, row.by, row.why, datetime.fromisoformat(row.at))


def _document_of(row: Row[Any]) -> Document | None:
    try:
        return Document(row.name, json.loads(row.body), datetime.fromisoformat(row.at))
    except ValueError:
        return None


def _storable(text: str) -> str:
    """Escape what UTF-8 cannot hold: arguments of a command line may be any bytes."""
    return text.encode(errors="backslashreplace").decode()


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")
