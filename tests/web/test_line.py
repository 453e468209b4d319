"""What the two processes say to each other, however one of them misbehaves."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.web.line import NAMES, Page, answer, ask


class Line(io.BytesIO):
    """What one end says, read by the other; what that says is in `said`."""

    def __init__(self, heard: bytes) -> None:
        super().__init__(heard)
        self.said = b""

    def write(self, text: bytes) -> int:
        self.said += text
        return len(text)


@given(st.integers(100, 599), st.binary(max_size=300))
def test_a_page_arrives_as_it_was(code: int, body: bytes) -> None:
    daemon = Line(b"metrics\n")
    answer(daemon, lambda name: Page(code, body + name.encode(), "text/plain; version=0.0.4"))
    assert ask(Line(daemon.said), "metrics") == Page(code, body + b"metrics", "text/plain; version=0.0.4")


@given(st.binary(max_size=100))
def test_whatever_is_asked_nothing_but_pages_are_told(asked: bytes) -> None:
    told: list[str] = []
    answer(Line(asked), lambda name: told.append(name) or Page(200, b""))
    assert set(told) <= set(NAMES)


@pytest.mark.parametrize(
    "said", [b"", b"200", b"200 5 text/plain\nhi", b"x y z\n", b"200 -1 t\n", b"2" * 9999, b"200 999999999999 t\n"]
)
def test_a_daemon_that_does_not_speak_like_one_is_no_page(said: bytes) -> None:
    with pytest.raises(OSError, match="the daemon"):
        ask(Line(said), "livez")
