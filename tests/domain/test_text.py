from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.text import INDENT, clean, clean_text, escaped, indented, one_line


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain\n\ttext\n", "plain\n\ttext\n"),
        (b"windows\r\nline", "windows\nline"),
        (b"a\0b\x07c\x7fd", "abcd"),
        (b"\x1b[1;31mred\x1b[0m \x1b[2Jgone", "red gone"),
        (b"\x1b]8;;http://evil\x07link\x1b]8;;\x1b\\ \x1b]52;c;ZXZpbA==\x07", "link "),
        (b"\x1b]0;no end, ours", "0;no end, ours"),
        (b"\x1b]0;no end\nours\x07", "0;no end\nours"),
        (b"\x1b[12", "12"),
        (b"bad \xff\xfe bytes", "bad �� bytes"),
        ("a\u202eb\u2066c\u200fd\ufeffe".encode(), "abcde"),
        ("c1 \x9b31m".encode(), "c1 31m"),
        ("Größe 名前".encode(), "Größe 名前"),
        (b"", ""),
    ],
)
def test_what_is_not_text_goes(raw: bytes, text: str) -> None:
    assert clean_text(raw, 1000) == text


def test_the_tail_is_kept() -> None:
    assert clean_text(b"0123456789", 4) == "6789"
    assert clean_text(b"0123456789", 0) == ""


def test_a_cut_within_a_character_leaves_no_trace() -> None:
    assert clean_text("äöü".encode(), 3) == "ü"


@given(st.binary(max_size=300), st.integers(0, 300))
def test_nothing_unfit_passes(raw: bytes, limit: int) -> None:
    text = clean_text(raw, limit)
    assert len(text) <= limit
    assert not {
        char for char in text if char not in "\n\t" and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    }


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=100))
def test_text_passes_unchanged(text: str) -> None:
    assert clean_text(text.encode(), 1000) == text


def test_one_line_stays_one() -> None:
    assert one_line("a\nb\r\nc\x0bd\x85e\u2028f") == "a\\nb\\ncdef"


def test_more_lines_are_indented() -> None:
    assert indented("a\nb\u2028c") == f"a\n{INDENT}bc"


@pytest.mark.parametrize("fit", [one_line, indented])
def test_what_is_too_long_is_cut_and_that_is_said(fit: Callable[[str, int], str]) -> None:
    assert fit("x" * 9, 9) == "x" * 9
    assert fit("x" * 10, 9) == "x" * 9 + "... (1 more characters)"


@given(st.text(max_size=100))
def test_json_escapes_keep_the_text(text: str) -> None:
    shown = escaped(json.dumps(text, ensure_ascii=False))
    assert json.loads(shown) == text
    assert clean(shown) == shown
