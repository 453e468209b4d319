"""A defect of the product stops the group in which it shows, and tells where it is."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

from reconciler.catalog import load_catalog
from reconciler.domain.observation import Observations
from reconciler.domain.position import Position
from reconciler.domain.reasons import Reason
from reconciler.domain.run import History
from reconciler.domain.verdict import Decision, State
from reconciler.execution.defects import judged, placed
from reconciler.planning.position import position_of
from tests.support.sample import DESIRED, KEYSTONE


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


def test_what_cannot_be_placed_is_blocked_by_the_defect():
    hostless = replace(DESIRED, hosts={})
    place = partial(position_of, KEYSTONE, hostless, load_catalog(), Observations(), History())
    (block,) = placed("keystone", place).blocks
    assert block.reason == Reason.DEFECT
    assert "KeyError" in block.text
