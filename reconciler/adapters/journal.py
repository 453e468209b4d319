"""The journal in a SQL store: one writer under a lease, any number of readers."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, Engine, Row, bindparam, delete, insert, select, update

from reconciler.adapters.store import archive
from reconciler.adapters.store.engine import DiskError, explained, path_of, place_of, readable, require_sound, writable
from reconciler.adapters.store.lock import StoreLock
from reconciler.adapters.store.schema import migrate, require_current, version_of
from reconciler.adapters.store.tables import COMMANDS, DOCUMENTS, ENTRIES, HEAD, moment, storable
from reconciler.domain.canonical import canonical
from reconciler.domain.chain import START, Break, Place, from_lines, seal, to_line
from reconciler.domain.journal import Command, Draft, Entry, Kind
from reconciler.domain.plan import Json
from reconciler.domain.reasons import TEXTS, Reason
from reconciler.domain.segment import Cut, Segment, checkpoint, newest_checkpoint, seals, segment_of, segments_of, whole
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

    def read(self, after: Entry | Place = START) -> Sequence[Entry]:
        """Return the entries that follow one in order, by default all that the store holds; verifies them.

        Raises JournalError when the chain is broken. Of what was sealed since, only what was kept follows.
        """
        with self._transaction() as connection:
            return self._rows(connection, after)

    def everything(self) -> tuple[Sequence[Entry], Sequence[Segment]]:
        """Return all entries ever written, archives first, and the segments of which there is no archive here.

        Where there is such a segment, the entries are those that the store holds. Raises JournalError when the chain
        is broken in an archive or in the store.
        """
        found = archive.everything(self._path, self.read())
        if isinstance(found, Break):
            raise self._broken(found.text)
        return found

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

    @property
    def _path(self) -> Path:
        return Path(place_of(self._engine))

    def _rows(self, connection: Connection, after: Entry | Place) -> Sequence[Entry]:
        query = select(ENTRIES).where(ENTRIES.c.seq > after.seq).order_by(ENTRIES.c.seq)
        lines = [row._asdict() for row in connection.execute(query)]
        if after.seq and lines and lines[0]["seq"] != after.seq + 1 and any(map(seals, lines)):
            return [entry for entry in self._rows(connection, START) if entry.seq > after.seq]
        found = from_lines(lines, after) if after.seq else whole(lines)
        if isinstance(found, Break):
            raise self._broken(found.text)
        head = connection.execute(select(HEAD.c.seq, HEAD.c.hash)).one()
        newest = found[-1] if found else after
        if tuple(head) != (newest.seq, newest.hash):
            raise self._broken(f"the newest entry should be number {head.seq} with hash {head.hash[:12]}")
        return found

    def _broken(self, what: str) -> JournalError:
        return JournalError(
            f"{place_of(self._engine)}: the journal's chain is broken: {what}",
            reason=Reason.JOURNAL_BROKEN,
            hint=TEXTS[Reason.JOURNAL_BROKEN][1],
        )


@dataclass(frozen=True, slots=True)
class _Lease:
    """The right to write a store: its lock, the epoch, and the newest entry when it was taken."""

    lock: StoreLock
    epoch: int
    last: Entry | Place


class SqlJournal(JournalReader):
    """The journal of the one daemon that holds the lease; made by `acquire`."""

    def __init__(self, engine: Engine, lease: _Lease, clock: Clock, *, archived: bool) -> None:
        super().__init__(engine)
        self._lease = lease
        self._clock = clock
        self._archived = archived
        self._last = lease.last
        self._failed: DiskError | None = None

    @classmethod
    def acquire(cls, url: str, clock: Clock, holder: str = "", *, archived: bool = True) -> Self:
        """Take the lease under a new epoch, after checking the store and bringing it up to date.

        What is sealed is `archived` in a file beside the store, or dropped.

        Raises JournalError: another daemon holds the store, it is newer than this program, damaged or not writable.
        """
        holder = holder or f"pid {os.getpid()} on {socket.gethostname()}"
        lock = StoreLock(path_of(url), holder)
        engine = writable(url, create=True)
        try:
            require_sound(engine)
            found = JournalReader(engine).read() if version_of(engine) else ()  # nothing is written to a broken store
            migrate(engine)
            lease = _Lease(lock, _raise_epoch(engine, holder), found[-1] if found else START)
        except BaseException:
            engine.dispose()
            lock.release()
            raise
        return cls(engine, lease, clock, archived=archived)

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
        return self._lease.epoch

    def append(self, drafts: Sequence[Draft]) -> Sequence[Entry]:
        """Write entries durably, all or none."""
        if not drafts:
            return ()
        with self._writing() as connection:
            entries = self._write(connection, drafts)
        self._last = entries[-1]
        return entries

    def seal(self, cut: Cut) -> Entry | None:
        """Seal what a cut was made of, all or nothing, and return the checkpoint; None when entries came since."""
        rows = self.read()
        if not rows or (rows[-1].seq, rows[-1].hash) != (cut.upto.seq, cut.upto.hash):
            return None
        newest = newest_checkpoint(rows)
        segments = segments_of(newest) if newest else ()
        open_ = [row for row in rows if newest is None or row.seq >= newest.seq]
        file, digest = archive.write(self._path, len(segments) + 1, open_) if self._archived else ("", "")
        body = checkpoint((*segments, segment_of(open_, file, digest)), rows, cut)
        with self._writing() as connection:
            (sealed,) = self._write(connection, [Draft(Kind.SEGMENT_SEALED, body=body)])
            self._remove(connection, [row.seq for row in rows if row.seq not in cut.kept], sealed)
            connection.execute(delete(COMMANDS).where(COMMANDS.c.answered_at < moment(open_[0].at)))
        self._last = sealed
        return sealed

    def _remove(self, connection: Connection, gone: Sequence[int], sealed: Entry) -> None:
        """Take entries out of the store; its trigger lets them go only while a checkpoint behind them is written."""
        connection.execute(update(HEAD).values(sealing=sealed.seq))
        if gone:
            where = ENTRIES.c.seq == bindparam("gone")
            connection.execute(delete(ENTRIES).where(where), [{"gone": seq} for seq in gone])
        connection.execute(update(HEAD).values(sealing=0))

    def answer(self, command: Command, drafts: Sequence[Draft], text: str) -> Sequence[Entry]:
        """Write what a command led to and mark it answered; raises JournalError when it was answered before."""
        mark = (
            update(COMMANDS)
            .where(COMMANDS.c.id == command.id, COMMANDS.c.answered_at.is_(None))
            .values(answered_at=moment(self._clock.now()), answer=storable(text))
        )
        with self._writing() as connection:
            if connection.execute(mark).rowcount != 1:
                raise JournalError(
                    f"command {command.id} ({command.verb}) has an answer already or was never asked",
                    reason=Reason.JOURNAL_UNWRITABLE,
                    hint="Nothing was written; the next pass reads the open commands anew.",
                )
            entries = self._write(connection, drafts)
        self._last = entries[-1] if entries else self._last
        return entries

    def put_document(self, name: str, body: Json) -> None:
        """Keep a document, in place of the older one of its name."""
        line = {"name": name, "body": canonical(body), "at": moment(self._clock.now())}
        with self._writing() as connection:
            if connection.execute(update(DOCUMENTS).where(DOCUMENTS.c.name == name).values(line)).rowcount == 0:
                connection.execute(insert(DOCUMENTS).values(line))

    def close(self) -> None:
        """Give the lease up; after a disk error the store stays open, for closing would sync it."""
        if not self._failed:
            super().close()
        self._lease.lock.release()

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
        if now.epoch != self._lease.epoch:
            raise JournalError(
                f"the lease of epoch {self._lease.epoch} is lost: {now.holder} took the store under epoch {now.epoch}",
                reason=Reason.JOURNAL_LEASE_LOST,
                hint=TEXTS[Reason.JOURNAL_LEASE_LOST][1],
            )

    def _write(self, connection: Connection, drafts: Sequence[Draft]) -> list[Entry]:
        """Seal drafts behind what the store holds: more than was read, when a commit's success was not heard of."""
        missed = self._rows(connection, self._last)
        last: Entry | Place = missed[-1] if missed else self._last
        entries: list[Entry] = []
        at = self._clock.now()
        for draft in drafts:
            last = seal(draft, last.seq + 1, at, last.hash)
            entries.append(last)
        if entries:
            connection.execute(insert(ENTRIES), [to_line(entry) for entry in entries])
            connection.execute(update(HEAD).values(seq=entries[-1].seq, hash=entries[-1].hash))
        return entries


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
