"""Sealed segments of the journal: what a checkpoint says of them, and how a store that holds one is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from reconciler.domain.chain import Break, Line, Place, from_lines
from reconciler.domain.journal import Entry, Kind
from reconciler.domain.plan import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Which ended runs stay as they are: the newest so many, and those of the last so many days.

    Fewer than `at_once` are not sealed: each time costs a file.
    """

    runs: int = 100
    days: int = 30
    at_once: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Entries `first` to `last`, which were sealed together; `head` is the hash of the last one.

    `file` holds them all, beside the store, with the digest `sha256`; both are empty where policy dropped them.
    """

    first: int
    last: int
    head: str
    since: str
    until: str
    file: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What sealing does: all entries up to `upto` go, but for the `kept` ones; `body` is what they came to."""

    upto: Place
    kept: frozenset[int]
    body: Mapping[str, Json]


def segments_of(entry: Entry) -> tuple[Segment, ...]:
    """Return the segments that a checkpoint tells of, oldest first."""
    body: Any = entry.body
    return tuple(Segment(**each) for each in body["segments"])


def segment_of(entries: Sequence[Entry], file: str, digest: str) -> Segment:
    """Return the segment that these entries are."""
    first, last = entries[0], entries[-1]
    since, until = (each.at.isoformat(timespec="microseconds") for each in (first, last))
    return Segment(first=first.seq, last=last.seq, head=last.hash, since=since, until=until, file=file, sha256=digest)


def checkpoint(segments: Sequence[Segment], rows: Iterable[Entry], cut: Cut) -> Mapping[str, Json]:
    """Return the body of the entry that seals a segment, the last of these; `rows` are all that the store holds."""
    told: list[Json] = [dict(asdict(each)) for each in segments]
    return {**cut.body, "segments": told, "kept": digest_of(row for row in rows if row.seq in cut.kept)}


def seals(line: Line) -> bool:
    """Tell whether a stored entry is a checkpoint."""
    return line.get("kind") == Kind.SEGMENT_SEALED


def digest_of(kept: Iterable[Entry]) -> str:
    """Digest the entries that stay before a checkpoint."""
    return sha256("\n".join(entry.hash for entry in kept).encode()).hexdigest()


def newest_checkpoint(entries: Sequence[Entry]) -> Entry | None:
    """Return the entry that sealed last."""
    return next((entry for entry in reversed(entries) if entry.kind == Kind.SEGMENT_SEALED), None)


def whole(lines: Iterable[Line]) -> Sequence[Entry] | Break:
    """Read back and verify all that a store holds: what was kept, the newest checkpoint, and what follows.

    Where nothing is missing before the checkpoint, it is a chain like any other.
    """
    rows = list(lines)
    place = next((at for at in reversed(range(len(rows))) if seals(rows[at])), None)
    if place is None or rows[place]["seq"] == place + 1:
        return from_lines(rows)
    seal = rows[place]
    rest = from_lines(rows[place:], Place(int(seal["seq"]) - 1, str(seal["prev"])))
    if isinstance(rest, Break):
        return rest
    kept = _alone(rows[:place])
    if isinstance(kept, Break):
        return kept
    return _fitting(kept, rest)


def _alone(rows: Sequence[Line]) -> Sequence[Entry] | Break:
    """Read entries that were kept when those around them went; each proves itself."""
    kept: list[Entry] = []
    for row in rows:
        found = from_lines([row], Place(int(row["seq"]) - 1, str(row["prev"])))
        if isinstance(found, Break):
            return found
        kept += found
    return kept


def _fitting(kept: Sequence[Entry], rest: Sequence[Entry]) -> Sequence[Entry] | Break:
    """Hold the entries that were kept, and the seal's place, against what the seal says."""
    seal = rest[0]
    last = segments_of(seal)[-1]
    if (last.last, last.head) != (seal.seq - 1, seal.prev):
        return Break(seal.seq, f"entry {seal.seq} seals another segment than the one before it")
    if digest_of(kept) != seal.body["kept"]:
        return Break(seal.seq, f"of the entries that entry {seal.seq} kept, one is missing or was added")
    return (*kept, *rest)
