"""How many hosts of a service may be out of work."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.desired import Percent
from reconciler.planning.availability import limit_of
from tests.support.sample import KEYSTONE


@pytest.mark.parametrize(
    ("limit", "total", "may"),
    [
        (None, 3, None),
        (2, 3, 2),
        ("quorum", 3, 1),
        ("quorum", 5, 2),
        ("quorum", 4, 1),
        ("quorum", 1, 0),
        (Percent(25), 10, 2),
        (Percent(25), 3, 1),
    ],
)
def test_limits(limit: object, total: int, may: int | None):
    assert limit_of(replace(KEYSTONE, max_unavailable=limit), total) == may


@given(st.integers(1, 200))
def test_a_quorum_leaves_more_than_half(total: int):
    limit = limit_of(replace(KEYSTONE, max_unavailable="quorum"), total)
    assert limit is not None
    assert (total - limit) * 2 > total
