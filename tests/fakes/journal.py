"""A journal in memory, with the same semantics as the real one and a menu of faults."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from reconciler.domain.canonical import canonical
from reconciler.domain.chain import START, Break, Place, from_lines, seal, to_line
from reconciler.domain.journal import Command, Draft, Entry, Kind
from reconciler.domain.plan import Json
from reconciler.domain.reasons import Reason
from reconciler.domain.segment import Cut, checkpoint, newest_checkpoint, segment_of, segments_of, whole
from reconciler.errors import JournalError
from reconciler.ports import Clock


class Fault(Enum):
    """What happens instead of a write that succeeds."""

    REFUSED = auto()  # JournalError, and nothing was written: a full disk
    UNSURE = auto()  # JournalError, but everything was written: an answer that was lost
    KILLED_BEFORE = auto()  # Killed, and nothing was written
    KILLED_AFTER = auto()  # Killed, and everything was written


class Killed(BaseException):
    """The daemon died here; no `except Exception` survives it."""


@dataclass
class Asked:
    command: Command
    answer: str | None = None


@dataclass
class Store:
    """What is durable: outlives the journals that are opened on it, as a file does."""

    lines: list[dict[str, object]]
    inbox: dict[int, Asked]
    documents: dict[str, tuple[str, datetime]]
    epoch: int = 0
    verified: list[Entry] = field(default_factory=list)  # what was read already

    @classmethod
    def empty(cls) -> Store:
        return cls([], {}, {})


class MemoryJournal:
    """Opening one on a store takes the lease: older ones on the same store may not write any more."""

    def __init__(self, clock: Clock, store: Store | None = None) -> None:
        self.store = store or Store.empty()
        self.store.epoch += 1
        self.writes = 0  # attempts so far
        self._epoch = self.store.epoch
        self._clock = clock
        self._faults: dict[int, Fault] = {}

    def fail(self, fault: Fault, at_write: int | None = None) -> None:
        """Let the write of this number (from 1) fail, by default the next one."""
        self._faults[at_write or self.writes + 1] = fault

    @property
    def epoch(self) -> int:
        return self._epoch

    def read(self, after: Entry | Place = START) -> Sequence[Entry]:
        found = self._verified()
        at = bisect_right(found, after.seq, key=lambda entry: entry.seq)
        return tuple(found[at:])

    def _verified(self) -> list[Entry]:
        known = self.store.verified
        found = from_lines(self.store.lines[len(known) :], known[-1]) if known else whole(self.store.lines)
        if isinstance(found, Break):
            raise JournalError(found.text, reason=Reason.JOURNAL_BROKEN)
        known.extend(found)
        return known

    def seal(self, cut: Cut) -> Entry | None:
        rows = list(self._verified())
        if not rows or (rows[-1].seq, rows[-1].hash) != (cut.upto.seq, cut.upto.hash):
            return None
        newest = newest_checkpoint(rows)
        segments = segments_of(newest) if newest else ()
        segment = segment_of([row for row in rows if newest is None or row.seq >= newest.seq], "", "")
        (entry,) = self._sealed([Draft(Kind.SEGMENT_SEALED, body=checkpoint((*segments, segment), rows, cut))])
        after = self._write()
        self.store.lines[:] = [to_line(each) for each in (*(row for row in rows if row.seq in cut.kept), entry)]
        self.store.verified.clear()
        _fail_after(after)
        return entry

    def append(self, drafts: Sequence[Draft]) -> Sequence[Entry]:
        if not drafts:
            return ()
        entries = self._sealed(drafts)
        after = self._write()
        self.store.lines.extend(to_line(entry) for entry in entries)
        _fail_after(after)
        return entries

    def commands(self) -> Sequence[Command]:
        return [asked.command for asked in self.store.inbox.values() if asked.answer is None]

    def answer(self, command: Command, drafts: Sequence[Draft], text: str) -> Sequence[Entry]:
        asked = self.store.inbox.get(command.id)
        if asked is None or asked.answer is not None:
            raise JournalError("answered already", reason=Reason.JOURNAL_UNWRITABLE)
        entries = self._sealed(drafts)
        after = self._write()
        self.store.lines.extend(to_line(entry) for entry in entries)
        asked.answer = text
        _fail_after(after)
        return entries

    def put_document(self, name: str, body: Json) -> None:
        after = self._write()
        self.store.documents[name] = (canonical(body), self._clock.now())
        _fail_after(after)

    def document(self, name: str) -> Json:
        """Return the newest document of a name, None when there is none."""
        return json.loads(self.store.documents[name][0]) if name in self.store.documents else None

    def ask(self, verb: str, subject: str, by: str, why: str) -> int:
        number = len(self.store.inbox) + 1
        self.store.inbox[number] = Asked(Command(number, verb, subject, by, why, self._clock.now()))
        return number

    def answer_to(self, command_id: int) -> str | None:
        return self.store.inbox[command_id].answer

    def _sealed(self, drafts: Sequence[Draft]) -> list[Entry]:
        known = self._verified()
        last: Entry | Place = known[-1] if known else START
        entries: list[Entry] = []
        for draft in drafts:
            last = seal(draft, last.seq + 1, self._clock.now(), last.hash)
            entries.append(last)
        return entries

    def _write(self) -> Fault | None:
        """Count a write, fail if it may not begin, and return what must happen after it."""
        if self.store.epoch != self._epoch:
            raise JournalError("the lease is lost", reason=Reason.JOURNAL_LEASE_LOST)
        self.writes += 1
        fault = self._faults.pop(self.writes, None)
        if fault is Fault.REFUSED:
            raise JournalError("the disk is full", reason=Reason.JOURNAL_UNWRITABLE)
        if fault is Fault.KILLED_BEFORE:
            raise Killed(f"before write {self.writes}")
        return fault


def _fail_after(fault: Fault | None) -> None:
    if fault is Fault.UNSURE:
        raise JournalError("the disk did not answer", reason=Reason.JOURNAL_UNWRITABLE)
    if fault is Fault.KILLED_AFTER:
        raise Killed("after a write")
