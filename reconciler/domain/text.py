"""Text that came from outside, made fit to be shown: once where it comes in, and again wherever it goes out."""

from __future__ import annotations

import json
import re
import unicodedata

# ECMA-48: CSI sequences, OSC/DCS/SOS/PM/APC strings up to BEL or ST, and two-character escapes. One that does not end
# within its line swallows nothing: it might be our words that follow.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]")
# Controls, invisible format characters (bidi overrides among them), surrogates, line and paragraph separators.
_UNFIT = {"Cc", "Cf", "Cs", "Zl", "Zp"}

MAX_LINE = 10_000
MAX_LINES = 65_536
"""Characters that are shown of one text, where it must stay within its line and where it need not."""

INDENT = " " * 7


def clean_text(raw: bytes, limit: int) -> str:
    """Decode the last `limit` bytes as UTF-8, bad ones as U+FFFD, and clean the text."""
    tail = raw[-limit:] if limit > 0 else b""
    if len(tail) < len(raw):
        tail = tail.lstrip(bytes(range(0x80, 0xC0)))  # the cut may lie within a character
    return clean(tail.decode(errors="replace"))


def clean(text: str) -> str:
    """Remove escape sequences and all that steers or cannot be seen, but newlines and tabs."""
    if text.isprintable():
        return text
    return "".join(char for char in _ESCAPES.sub("", text) if char in "\n\t" or not _unfit(char))


def whole_number(text: str) -> int | None:
    """Read a number that somebody else wrote; None for what is none, or has more than 18 digits."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def one_line(text: str, most: int = MAX_LINE) -> str:
    r"""Clean a text that must stay within its line: a newline becomes `\n`, and what is too long is cut."""
    return clean(_cut(text, most)).replace("\n", "\\n")


def indented(text: str, most: int = MAX_LINES) -> str:
    """Clean a text of several lines: all but the first are indented, so that none looks like one of ours."""
    return clean(_cut(text, most)).replace("\n", f"\n{INDENT}")


def escaped(text: str) -> str:
    r"""Write what `clean` would remove as JSON does, such as `\u202e`; newlines and tabs stay."""
    return "\n".join(line if line.isprintable() else "".join(map(_escaped, line)) for line in text.split("\n"))


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1] if _unfit(char) and char != "\t" else char


def _unfit(char: str) -> bool:
    return unicodedata.category(char) in _UNFIT


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}... ({len(text) - most} more characters)"
