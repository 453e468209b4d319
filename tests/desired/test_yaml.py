from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.node import Node
from reconciler.desired.yaml import MAX_BYTES, MAX_DEPTH, MAX_NODES, MAX_PROBLEMS, read_yaml


def plain(text: str) -> object:
    node, problems = read_yaml("a.yaml", text.encode())
    assert problems == []
    assert node is not None
    return node.plain()


def said(data: bytes) -> list[str]:
    return [str(each) for each in read_yaml("a.yaml", data)[1]]


@pytest.mark.parametrize("scalar", ["2024.10", "no", "012", "0x1F", "2026-12-01", "1e3", ".inf", "12:30:45", "true"])
def test_every_scalar_is_text(scalar: str) -> None:
    assert plain(f"a: {scalar}\n") == {"a": scalar}


def test_empty_text_is_written_in_quotes() -> None:
    assert plain("a: \"\"\nb: 'null'\n") == {"a": "", "b": "null"}


def test_every_value_has_a_place() -> None:
    node, _ = read_yaml("a.yaml", b"a:\n  - b: c\n  - [d]\n")
    assert node is not None
    found = node.at("a", 0, "b")
    assert (found.line, found.col, found.key) == (2, 8, (2, 5))
    assert node.at("a", 1, 0) == Node("a.yaml", 3, 6, "d")
    assert node.at("a", 7, "x") == node.at("a")


def test_places_count_characters_not_bytes() -> None:
    assert said("é: 1\nä: {é: 1, é: 2}\n".encode())[0].startswith("a.yaml:2:11: error: key 'é' stands here a second")


def test_depth_up_to_the_limit_is_read() -> None:
    assert plain("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert "nested deeper" in said(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))[0]


@pytest.mark.parametrize("data", [b"[" * 3000, b"{a: " * 3000, b"- " * 3000, b"? " * 3000, b"a:\n" * 3000])
def test_nesting_never_exhausts_the_stack(data: bytes) -> None:
    assert said(data)


def test_large_files_are_refused_unread() -> None:
    assert "more than" in said(b"a" * (MAX_BYTES + 1))[0]


def test_a_scalar_as_large_as_a_file_may_be_is_read() -> None:
    assert read_yaml("a.yaml", b"a: " + b"x" * (MAX_BYTES - 3))[1] == []


def test_many_values_are_refused() -> None:
    assert said(b"[" + b"a," * MAX_NODES + b"]") == [
        f"a.yaml:1:{2 * MAX_NODES}: error: the file has more than {MAX_NODES} values; split it"
    ]


def test_reading_stops_after_many_problems() -> None:
    found = said(b"a: b\n" * 180_000)
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1].endswith(f"error: reading stopped here, after {MAX_PROBLEMS} problems; correct them first")


@pytest.mark.parametrize("text", ["a: !%0Ab.yaml%20forged x", "a: !%E2%80%AEx b", "a: !<%1B%5B2J> b"])
def test_a_tag_forges_no_line_of_its_own(text: str) -> None:
    (found,) = read_yaml("a.yaml", text.encode())[1]
    assert found.what.startswith("the tag '")
    assert found.what.isprintable()


@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    node, problems = read_yaml("a.yaml", data)
    assert node is not None or problems


@given(st.text(alphabet="ab:-[]{}#&*!|>'\"%@`?,<~ \t\r\n", max_size=60))
def test_no_yaml_like_text_raises(text: str) -> None:
    node, problems = read_yaml("a.yaml", text.encode())
    assert node is not None or problems
    for each in problems:
        assert 1 <= each.line <= text.count("\n") + text.count("\r") + 2
        assert each.col >= 1
