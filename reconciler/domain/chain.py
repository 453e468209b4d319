"""The hash chain that makes a changed, removed or reordered journal entry visible."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from reconciler.domain.canonical import canonical, digest
from reconciler.domain.damage import change_in
from reconciler.domain.journal import GENESIS, Draft, Entry
from reconciler.domain.reasons import Reason
from reconciler.errors import JournalError

Line = Mapping[str, Any]
"""An entry as it is stored: its fields as text, but for the number `seq`; `body` is canonical JSON."""


@dataclass(frozen=True, slots=True)
class Place:
    """An entry's number and hash: where what follows it must go on."""

    seq: int
    hash: str


START = Place(0, GENESIS)


@dataclass(frozen=True, slots=True)
class Break:
    """The first entry that does not fit into the chain, and what is wrong with it."""

    seq: int
    text: str


def seal(draft: Draft, seq: int, at: datetime, prev: str) -> Entry:
    """Make the entry that follows the one whose hash is `prev`; raises JournalError when its body is not JSON.

    The body is what a reader will get: tuples have become lists.
    """
    try:
        body = json.loads(canonical(dict(draft.body)))
    except (TypeError, ValueError, RecursionError) as error:
        raise JournalError(
            f"a journal entry of kind {draft.kind!r} cannot be written as JSON: {error}",
            reason=Reason.JOURNAL_UNWRITABLE,
            hint="This is a defect of the daemon; report it. Nothing was written.",
        ) from error
    entry = Entry(seq, at.astimezone(UTC), draft.kind, draft.group, draft.run, draft.step, body, prev, "")
    return replace(entry, hash=hash_of(entry))


def hash_of(entry: Entry) -> str:
    """Digest all fields but the hash itself: sha256, 64 hex digits."""
    return digest(to_line(entry))


def verify(entries: Iterable[Entry], after: Entry | Place = START) -> Break | None:
    """Find the first entry that does not fit; `after` is the last one that is known to be good."""
    seq, prev = after.seq, after.hash
    for entry in entries:
        seq += 1
        if entry.seq != seq:
            return Break(seq, f"entry {seq} is missing: number {entry.seq} stands in its place")
        if entry.prev != prev:
            return Break(seq, f"entry {seq} does not continue its predecessor")
        if entry.hash != hash_of(entry):
            return Break(seq, f"entry {seq} is not what was written, its hash does not match")
        prev = entry.hash
    return None


def to_line(entry: Entry) -> dict[str, Any]:
    """Turn an entry into what is stored."""
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(timespec="microseconds"),
        "kind": entry.kind,
        "group": entry.group,
        "run": entry.run,
        "step": entry.step,
        "body": canonical(dict(entry.body)),
        "prev": entry.prev,
        "hash": entry.hash,
    }


def from_lines(lines: Iterable[Line], after: Entry | Place = START) -> Sequence[Entry] | Break:
    """Read stored entries back and verify them; `after` is the last one that is known to be good.

    What broke an entry is said where one change explains it.
    """
    entries: list[Entry] = []
    for line in lines:
        entry = _entry_of(line)
        if entry is None:
            seq = after.seq + 1
            return _told(Break(seq, f"entry {seq} cannot be read: it is not in the form that is written"), line, after)
        if found := verify([entry], after):
            return _told(found, line, after)
        entries.append(entry)
        after = entry
    return entries


def _told(found: Break, line: Line, after: Entry | Place) -> Break:
    """Say what was changed in an entry, as far as its hash tells."""
    change = change_in(line, after.seq + 1, after.hash)
    return replace(found, text=f"{found.text}: {change.text}") if change else found


def _entry_of(line: Line) -> Entry | None:
    """Read one stored entry; None unless it would be stored in exactly these bytes again."""
    if not all(isinstance(value, int if name == "seq" else str) for name, value in line.items()):
        return None
    try:
        entry = Entry(**{**line, "at": datetime.fromisoformat(line["at"]), "body": json.loads(line["body"])})
        return entry if to_line(entry) == dict(line) else None
    except (TypeError, ValueError, RecursionError):
        return None
