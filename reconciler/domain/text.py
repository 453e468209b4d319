"""Text that came from outside, made fit for a terminal, a log and a page."""

from __future__ import annotations

import re
import unicodedata

# ECMA-48: CSI sequences, OSC/DCS/SOS/PM/APC strings up to BEL or ST, and two-character escapes.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]")
# Controls, invisible format characters (bidi overrides among them), surrogates, line and paragraph separators.
_UNFIT = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def clean_text(raw: bytes, limit: int) -> str:
    """Decode the last `limit` bytes as UTF-8, bad ones as U+FFFD, without escapes and controls but newline and tab."""
    tail = raw[-limit:] if limit > 0 else b""
    if len(tail) < len(raw):
        tail = tail.lstrip(bytes(range(0x80, 0xC0)))  # the cut may lie within a character
    text = _ESCAPES.sub("", tail.decode(errors="replace"))
    return "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in _UNFIT)
