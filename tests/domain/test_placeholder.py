from __future__ import annotations

import pytest

from reconciler.domain.placeholder import fill, placeholders


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/srv/{release}/{env}", ("release", "env")),
        ('{"auth": {"id": "{secret:admin-1.x}"}}', ("secret:admin-1.x",)),
        ("{} { } {0} {a b} ${HOME} %(x)s {A}", ()),
        ("{{release}}", ("release",)),
    ],
)
def test_finds(text: str, words: tuple[str, ...]) -> None:
    assert placeholders(text) == words


def test_fills_what_is_known_once() -> None:
    assert fill("{a} {b} {secret:a}", {"a": "{b}", "c": "x"}) == "{b} {b} {secret:a}"
