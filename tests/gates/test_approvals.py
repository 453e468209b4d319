"""Who must say yes to a plan, and to what a yes holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from reconciler.domain.approval import Approval, ApprovalPolicy
from reconciler.domain.gate import Holds
from reconciler.domain.reasons import Reason
from reconciler.gates import Case
from reconciler.gates.approvals import judge
from tests.support.sample import DESIRED

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def yes(by: str, plan: str = "0123456789ab", wave: int | None = None, until: date | None = None) -> Approval:
    return Approval(plan=plan, by=by, why="read it", wave=wave, until=until)


def case(policy: ApprovalPolicy | None, *approvals: Approval, begun: bool = False, wave: int = 0) -> Case:
    policies = {} if policy is None else {"keystone": policy}
    return Case(
        group="keystone",
        desired=replace(DESIRED, approvals=policies),
        now=NOW,
        begun=begun,
        plan="0123456789ab",
        wave=wave,
        approvals=approvals,
    )


TWO = ApprovalPolicy(leg=2, waves=1, by=("ada", "bo"))


def test_without_a_policy_nobody_is_asked():
    assert judge(case(None)) == ()
    assert judge(case(ApprovalPolicy(waves=1))) == ()


def test_it_says_who_said_yes_and_what_to_type():
    (found,) = judge(case(TWO, yes("ada")))
    assert (found.reason, found.holds) == (Reason.APPROVAL_MISSING, Holds.SERVING)
    assert found.text == "plan 0123456789ab of keystone has 1 of 2 approvals (ada)"
    assert "`reconciler approve 0123456789ab --why TEXT`" in found.hint


@pytest.mark.parametrize(
    "approvals",
    [
        (),
        (yes("ada"), yes("ada")),  # one person twice
        (yes("ada"), yes("eve")),  # somebody whom git does not name
        (yes("ada"), yes("bo", plan="ffffffffffff")),  # to another plan
        (yes("ada"), yes("bo", wave=1)),  # to a wave alone
    ],
)
def test_what_does_not_count_leaves_it_closed(approvals: tuple[Approval, ...]):
    assert len(judge(case(TWO, *approvals))) == 1


def test_enough_different_people_open_it():
    assert judge(case(TWO, yes("ada"), yes("bo"))) == ()


def test_one_counts_to_the_end_of_its_day_and_is_named_afterwards():
    assert judge(case(TWO, yes("ada"), yes("bo", until=NOW.date()))) == ()
    (found,) = judge(case(TWO, yes("ada"), yes("bo", until=date(2026, 1, 1))))
    assert found.text == "plan 0123456789ab of keystone has 1 of 2 approvals (ada; that of bo ended with 2026-01-01)"
    assert judge(case(TWO, yes("ada"), yes("bo", until=date(2026, 1, 1)), yes("bo"))) == ()


def test_each_wave_after_the_canary_needs_a_yes_of_its_own():
    assert judge(case(TWO, begun=True)) == ()
    (found,) = judge(case(TWO, yes("ada"), yes("bo", wave=2), begun=True, wave=1))
    assert "wave 1 of plan 0123456789ab" in found.text
    assert "reconciler approve 0123456789ab --wave 1" in found.hint
    assert judge(case(TWO, yes("bo", wave=1), begun=True, wave=1)) == ()
