from __future__ import annotations

import pytest

from reconciler.desired.ranges import expand


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("ks1", ("ks1",)),
        ("ks[1-3]", ("ks1", "ks2", "ks3")),
        ("c-[08-10].example", ("c-08.example", "c-09.example", "c-10.example")),
        ("[9-10]", ("9", "10")),
        ("x[7-7]", ("x7",)),
    ],
)
def test_writes_out(pattern: str, names: tuple[str, ...]) -> None:
    assert expand(pattern) == names


@pytest.mark.parametrize("pattern", ["a[1-2][1-2]", "a[", "a]", "a[b-c]", "a[2-1]", "a[0-10000]", "a[1-2", "[[1-2]]"])
def test_refuses(pattern: str) -> None:
    with pytest.raises(ValueError, match="range"):
        expand(pattern)
