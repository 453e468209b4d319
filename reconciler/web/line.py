"""What the process that serves the network may ask the daemon: the name of a page, and nothing else.

One line holds the name; the answer is a line with code, length and content type, then the page. Both ends import this.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

NAMES = ("metrics", "livez", "healthz", "readyz")
TEXT = "text/plain; charset=utf-8"
_NAME_BYTES = 32
_HEAD_BYTES = 256
_PAGE_BYTES = 256 * 1024 * 1024


class Stream(Protocol):
    """One end of the line."""

    def readline(self, size: int, /) -> bytes:
        """Read a line of at most so many bytes."""
        ...

    def read(self, size: int, /) -> bytes:
        """Read so many bytes, fewer at the end."""
        ...

    def write(self, text: bytes, /) -> int:
        """Write."""
        ...

    def flush(self) -> None:
        """Send what was written."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """A page as HTTP would have it."""

    code: int
    body: bytes
    kind: str = TEXT


def ask(stream: Stream, name: str) -> Page:
    """Ask for a page; raises OSError when the other end does not speak like a daemon."""
    stream.write(f"{name}\n".encode())
    stream.flush()
    head = stream.readline(_HEAD_BYTES)
    code, length, kind = (*head.decode("latin-1").rstrip("\n").split(" ", 2), "", "")[:3]
    if not (code.isdigit() and length.isdigit() and head.endswith(b"\n")) or int(length) > _PAGE_BYTES:
        raise ConnectionError("the daemon does not answer")
    body = stream.read(int(length))
    if len(body) < int(length):
        raise ConnectionError("the daemon ended in mid-answer")
    return Page(int(code), body, kind)


def answer(stream: Stream, page_of: Callable[[str], Page]) -> None:
    """Answer until the other end goes, or asks for what is no page."""
    while (line := stream.readline(_NAME_BYTES)).endswith(b"\n"):
        name = line[:-1].decode("latin-1")
        if name not in NAMES:
            return
        page = page_of(name)
        stream.write(f"{page.code} {len(page.body)} {page.kind}\n".encode() + page.body)
        stream.flush()
