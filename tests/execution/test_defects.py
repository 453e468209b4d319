"""A defect of the product stops the group in which it shows, and tells where it is."""

from __future__ import annotations

import re

from reconciler.domain.position import Position
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import Decision, State
from reconciler.execution.defects import judged, placed


def fails() -> Decision:
    raise KeyError("nova")


def fails_to_place() -> Position:
    raise AssertionError("a range without a release")


def test_a_group_that_cannot_be_judged_is_blocked_and_says_where_it_failed():
    verdict = judged("control", fails).verdict
    assert (verdict.group, verdict.state, verdict.reason) == ("control", State.BLOCKED, Reason.DEFECT)
    assert re.fullmatch(r"KeyError: 'nova' \(test_defects.py:\d+ fails < defects.py:\d+ judged\)", verdict.text)


def test_a_service_that_cannot_be_placed_stands_nowhere():
    position = placed("nova", fails_to_place)
    assert (position.service, position.release, position.hosts) == ("nova", "", ())
    assert [each.reason for each in position.blocks] == [Reason.DEFECT]
    assert position.blocks[0].text.startswith("AssertionError: a range without a release (test_defects.py:")


def test_a_defect_is_told_in_one_line_of_bounded_length():
    def overlong() -> Decision:
        raise ValueError("a\nb\x1b[2J" + "c" * 10_000)

    text = judged("control", overlong).verdict.text
    assert text.startswith("ValueError: a\\nbccc")
    assert len(text) < 1_000
