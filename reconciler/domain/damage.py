"""Finds the byte of a stored entry that was changed, by trying what would fit the entry's hash. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from reconciler.domain.canonical import canonical, digest

MOST_WORK = 500_000_000
"""How many bytes are hashed in the search, a second or two; longer entries are searched for flipped bits, or not."""

AROUND = 12
"""How much of a text is shown on both sides of the place."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field of an entry that was changed; `place` is the byte in it, from 1, None when it is another as a whole."""

    field: str
    stands: str
    stood: str
    place: int | None = None

    @property
    def text(self) -> str:
        """Say what stands where, and what stood there; what cannot be printed is escaped."""
        where = f"in `{self.field}`" if self.place is None else f"in byte {self.place} of `{self.field}`"
        return f"{where} stands {self.stands!a}, and {self.stood!a} was written"


def change_in(line: Mapping[str, Any], seq: int, prev: str) -> Change | None:
    """Return the one change after which a stored entry fits its hash again; None when there is no such one.

    `seq` and `prev` are those that the entry must have where it stands.
    """
    if not all(isinstance(value, str | int) for value in line.values()):
        return None
    due = digest(line)
    if len(due) == len(str(line["hash"])) and sum(a != b for a, b in zip(due, str(line["hash"]), strict=True)) == 1:
        return _within("hash", str(line["hash"]), due)
    for name, value in (("seq", seq), ("prev", prev)):
        if line[name] != value and _fits(line, name, value):
            return Change(name, str(line[name]), str(value))
    texts = sorted((name for name in line if name not in {"seq", "hash"}), key=lambda name: len(str(line[name])))
    return next((found for name in texts if (found := _one_byte(line, name))), None)


def _fits(line: Mapping[str, Any], name: str, value: object) -> bool:
    return digest({**line, name: value}) == str(line["hash"])


def _one_byte(line: Mapping[str, Any], name: str) -> Change | None:
    """Search a field for one byte in whose place another one fits."""
    stands = str(line[name])
    marked = canonical({**{key: value for key, value in line.items() if key != "hash"}, name: ""})
    head, _, tail = marked.partition(f'"{name}":""')
    begun = sha256(f'{head}"{name}":'.encode())
    for candidate in _candidates(stands, len(tail)):
        tried = begun.copy()
        tried.update(f"{canonical(candidate)}{tail}".encode())
        if tried.hexdigest() == line["hash"]:
            return _within(name, stands, candidate)
    return None


def _candidates(text: str, behind: int) -> Iterator[str]:
    """Yield a text with one byte changed: with one bit flipped first, as hardware does it, then with any other byte.

    `behind` is how many bytes stand behind the text, which are hashed with each.
    """
    try:
        raw = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return
    flips, others = [1 << bit for bit in range(8)], [value for value in range(1, 256) if value.bit_count() > 1]
    for masks in (flips, others):
        if len(masks) * len(raw) * (len(raw) + behind) > MOST_WORK:
            return
        for place in range(len(raw)):
            for mask in masks:
                changed = raw[:place] + bytes([raw[place] ^ mask]) + raw[place + 1 :]
                yield changed.decode("utf-8", "surrogateescape")


def _within(name: str, stands: str, stood: str) -> Change:
    """Cut out the place in which two texts differ."""
    now, then = (text.encode("utf-8", "surrogateescape") for text in (stands, stood))
    place = next(at for at, (a, b) in enumerate(zip(now, then, strict=True)) if a != b)
    part = slice(max(0, place - AROUND), place + AROUND + 1)
    shown = [raw[part].decode("utf-8", "surrogateescape") for raw in (now, then)]
    return Change(name, shown[0], shown[1], place + 1)
