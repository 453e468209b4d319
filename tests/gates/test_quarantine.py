"""Hosts in quarantine that still serve keep a stopped service's schema as it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.domain.gate import Holds
from reconciler.domain.quarantine import Aside
from reconciler.domain.reasons import Reason
from reconciler.domain.window import Window
from reconciler.gates import Case, closed
from reconciler.gates.quarantine import judge
from tests.support.sample import DESIRED

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ASKED, READY = 9, 7


def case(aside: Aside, *, begun: bool = False) -> Case:
    return Case(group="keystone", desired=DESIRED, now=NOW, begun=begun, aside=(aside,))


def sick(asked: int | None = ASKED, *runs: str, since: int | None = None) -> Aside:
    return Aside(service="keystone", host="ks3", runs=runs, asked=asked, since=since)


def test_one_that_still_serves_keeps_a_leg_from_its_pause():
    (found,) = judge(case(sick(ASKED, "unit keystone")))
    assert (found.reason, found.holds) == (Reason.QUARANTINED_SERVING, Holds.SERVING)
    assert found.text == "ks3 is in quarantine and still runs keystone: unit keystone"
    assert "on ks3" in found.hint


def test_in_a_pause_it_keeps_the_schema_as_it_is():
    (found,) = judge(case(sick(ASKED, "unit keystone", since=READY), begun=True))
    assert (found.reason, found.holds) == (Reason.QUARANTINED_SERVING, Holds.SCHEMA)


@pytest.mark.parametrize("asked", [None, READY - 1])
def test_right_before_the_schema_steps_it_is_asked_again(asked: int | None):
    (found,) = judge(case(sick(asked, since=READY), begun=True))
    assert (found.reason, found.holds) == (Reason.HOST_NOT_ASKED, Holds.SCHEMA)


def test_one_that_was_asked_and_runs_nothing_or_did_not_answer_holds_back_nobody():
    assert judge(case(sick())) == ()
    assert judge(case(sick(READY, since=READY), begun=True)) == ()
    assert judge(case(sick(None))) == ()


def test_of_all_gates_it_alone_is_asked_of_what_goes_back():
    window = Window(name="night", effect="deny", zone="UTC", cron="0 0 * * *", duration_h=24)
    serving = replace(case(sick(ASKED, "unit keystone")), desired=replace(DESIRED, windows=(window,)))
    assert [each.gate for each in closed(serving)] == ["quarantine", "windows"]
    assert [each.gate for each in closed(replace(serving, back=True))] == ["quarantine"]
    assert closed(replace(serving, back=True, waived=frozenset({"quarantine"}))) == ()
