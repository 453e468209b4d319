"""A leg whose walk was not rehearsed does not begin its pause, where git asks for that."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.domain.gate import Holds
from reconciler.domain.reasons import Reason
from reconciler.gates import Case
from reconciler.gates.rehearsal import judge
from tests.support.sample import DESIRED


def case(*, begun: bool = False, **states: str) -> Case:
    return Case(
        group="control", desired=DESIRED, now=datetime(2026, 1, 2, tzinfo=UTC), begun=begun, rehearsals=dict(states)
    )


def test_without_a_policy_or_with_one_that_passed_it_is_open():
    assert judge(case()) == ()
    assert judge(case(keystone="passed")) == ()


@pytest.mark.parametrize(
    ("state", "said"),
    [("", "was not rehearsed yet"), ("running", "is being rehearsed"), ("failed", "failed when it was rehearsed")],
)
def test_every_other_state_is_a_reason(state: str, said: str):
    (found,) = judge(case(keystone=state, glance="passed"))
    assert (found.reason, found.holds) == (Reason.REHEARSAL_MISSING, Holds.SERVING)
    assert found.text == f"the walk of keystone's databases {said}"
    assert "reconciler rehearse keystone" in found.hint


def test_a_leg_that_has_begun_is_not_held_back():
    assert judge(case(keystone="failed", begun=True)) == ()
