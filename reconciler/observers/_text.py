"""Reading what hosts print: hostile until every line is what it must be."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from reconciler.observers import ParseError
from reconciler.ports import Answer

LIMIT_BYTES = 1 << 20
LIMIT_LINE = 4096
LAST_S = 1 << 33  # the year 2242; what is later is a lie

# Every script begins in English and in UTC, and says `end` when it came to its end: a cut answer is no answer.
HEAD = "LC_ALL=C TZ=UTC\nexport LC_ALL TZ\n"
END = "echo end\n"


def text_of(answer: Answer) -> str:
    """Decode a whole answer strictly and return it without its last line; raises ParseError."""
    if len(answer.output) > LIMIT_BYTES:
        raise ParseError(f"the answer is longer than {LIMIT_BYTES} bytes")
    try:
        text = answer.output.decode()
    except UnicodeDecodeError as error:
        raise ParseError(f"the answer is not UTF-8 at byte {error.start}") from None
    if not text.replace("\n", "").replace("\t", "").isprintable():
        raise ParseError("the answer holds control characters")
    if answer.code != 0:
        raise ParseError(f"exit code {answer.code}: {' '.join(text.split())[-200:]}")
    if not text.endswith("end\n"):
        raise ParseError("the answer is cut off")
    return text.removesuffix("end\n")


def fields_of(answer: Answer) -> list[list[str]]:
    """Split an answer into lines and those at tabs; raises ParseError."""
    lines = text_of(answer).split("\n")[:-1]
    if any(len(line) > LIMIT_LINE for line in lines):
        raise ParseError(f"a line is longer than {LIMIT_LINE} characters")
    return [line.split("\t") for line in lines]


def matched(pattern: str, text: str, what: str) -> str:
    """Return the text if the whole of it matches; raises ParseError."""
    if not re.fullmatch(pattern, text, re.ASCII):
        raise ParseError(f"{what} is odd: {text[:80]!r}")
    return text


def moment(text: str) -> datetime:
    """Read seconds since 1970; raises ParseError."""
    seconds = int(matched(r"[0-9]{1,10}", text, "a time"))
    if seconds > LAST_S:
        raise ParseError(f"a time is odd: {text}")
    return datetime.fromtimestamp(seconds, UTC)


def odd(fields: list[str]) -> ParseError:
    """Say that a line is not understood."""
    return ParseError(f"a line is not understood: {' '.join(fields)[:80]!r}")
