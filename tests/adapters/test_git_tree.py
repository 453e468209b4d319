from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.git_tree import odd_name, shown


def test_ordinary_names_are_fine():
    for name in ("fleet.yaml", ".gitignore", "Żółw-2026.1 (old).conf", "a b", "x" * 255, "README"):
        assert odd_name(name.encode()) == ""


@given(st.binary(max_size=300))
def test_what_is_accepted_is_one_plain_path_component(raw):
    if odd_name(raw) == "":
        name = raw.decode()
        assert name not in {"", ".", ".."}
        assert not set(name) & set("/\\\0\n\x1b\u202e")
        assert unicodedata.normalize("NFC", name) == name
        assert len(raw) <= 255


@given(st.text())
def test_what_is_shown_is_printable(text):
    assert shown(text).isprintable()
    assert "\u202e" not in shown(text)
