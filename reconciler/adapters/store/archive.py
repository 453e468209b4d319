"""The archives of sealed segments: gzipped JSON lines beside the store, one line an entry as the store had it."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

from reconciler.adapters.durable import sync
from reconciler.domain.canonical import canonical
from reconciler.domain.chain import Break, Place, from_lines, to_line, verify
from reconciler.domain.journal import Entry
from reconciler.domain.reasons import Reason
from reconciler.domain.segment import Segment, newest_checkpoint, segments_of
from reconciler.errors import JournalError


def everything(store: Path, rows: Sequence[Entry]) -> tuple[Sequence[Entry], Sequence[Segment]] | Break:
    """Return all entries ever written, given those that the store holds, and the segments that have no archive.

    Where one has none, the entries are those that the store holds.
    """
    newest = newest_checkpoint(rows)
    found: list[Entry] = []
    gone: list[Segment] = []
    for segment in segments_of(newest) if newest else ():
        entries = read(store, segment)
        if isinstance(entries, Break):
            return entries
        found += entries or ()
        gone += [] if entries else [segment]
    if gone:
        return rows, gone
    found += (row for row in rows if newest is None or row.seq >= newest.seq)
    return verify(found) or (found, ())


def write(store: Path, number: int, entries: Iterable[Entry]) -> tuple[str, str]:
    """Write a segment durably and return its file's name and digest; one that was left half-way is written anew."""
    lines = "".join(f"{canonical(to_line(entry))}\n" for entry in entries)
    content = gzip.compress(lines.encode(), mtime=0)
    path = store.with_name(f"{store.name}.{number:06d}.jsonl.gz")
    try:
        _put(path, content)
    except OSError as error:
        raise JournalError(
            f"{path}: {error.strerror}; the segment was not sealed",
            reason=Reason.JOURNAL_UNWRITABLE,
            hint="Free space there, or let the daemon's user write the folder; it tries again after the next run.",
        ) from error
    return path.name, sha256(content).hexdigest()


def read(store: Path, segment: Segment) -> Sequence[Entry] | Break | None:
    """Read a segment back and verify it; None when policy dropped it or its file is not there."""
    path = store.parent / segment.file
    if not segment.file or not path.exists():
        return None
    try:
        content = path.read_bytes()
        lines = [json.loads(line) for line in gzip.decompress(content).splitlines()]
        first = Place(segment.first - 1, str(lines[0]["prev"]))
        found = from_lines(lines, first)
    except (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError, AttributeError) as error:
        return Break(segment.first, f"the archive {path} cannot be read: {error}")
    if isinstance(found, Break):
        return Break(found.seq, f"the archive {path}: {found.text}")
    if sha256(content).hexdigest() != segment.sha256 or (found[-1].seq, found[-1].hash) != (segment.last, segment.head):
        return Break(segment.first, f"the archive {path} is not what was written: its digest does not match")
    return found


def _put(path: Path, content: bytes) -> None:
    """Write a file that is there as a whole or not at all, also after a loss of power."""
    half = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640), "wb") as file:
        file.write(content)
    sync(half)
    half.rename(path)
    sync(path.parent)
