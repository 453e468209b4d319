"""A halt that stops the fleet closes the way of every other group."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from reconciler.domain.reasons import Reason
from reconciler.domain.run import Halt
from reconciler.gates import Case, closed
from reconciler.gates.halts import judge
from tests.support.sample import DESIRED

NOW = datetime(2026, 1, 2, tzinfo=UTC)
HALT = Halt(id="h3", group="nova", reason="CanaryFailed", text="no answer", hint="look", since=NOW, inputs="i")
CASE = Case(group="keystone", desired=DESIRED, now=NOW, begun=False)


def test_without_such_a_halt_it_is_open():
    assert judge(CASE) == ()


def test_every_halt_is_a_reason_of_its_own():
    found = judge(replace(CASE, halts=(HALT, replace(HALT, id="h4", group="glance"))))
    assert [each.reason for each in found] == [Reason.FLEET_HALTED] * 2
    assert found[0].text == "nova is halted, and its halts stop the fleet (h3: no answer)"
    assert found[0].until is None


def test_an_open_leg_is_stopped_too_unless_somebody_took_the_risk():
    case = replace(CASE, halts=(HALT,), begun=True)
    assert len(closed(case)) == 1
    assert closed(replace(case, waived=frozenset({"halts"}))) == ()
