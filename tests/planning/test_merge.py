"""What a merge from one desired state to another changes."""

from __future__ import annotations

from dataclasses import replace

from reconciler.domain.plan import Block, Plan
from reconciler.planning.merge import Change, Fate, changes, changes_to_json, hosts_of
from reconciler.planning.preview import Preview
from tests.planning.graphs import ALL_STOPPED, plan, step


def between(before: Plan | None, after: Plan | None) -> tuple[Change, ...]:
    return changes([Preview("g", before)], [Preview("g", after)])


def test_equal_plans_are_no_change():
    assert between(ALL_STOPPED, ALL_STOPPED) == ()
    assert between(None, None) == ()


def test_a_plan_appears_and_vanishes():
    (come,), (gone,) = between(None, ALL_STOPPED), between(ALL_STOPPED, None)

    assert (come.fate, len(come.added), come.removed) == (Fate.APPEARS, 10, ())
    assert (gone.fate, gone.added, len(gone.removed)) == (Fate.VANISHES, (), 10)
    assert changes([], [Preview("g", ALL_STOPPED)]) == (come,)


def test_steps_are_told_apart_by_their_names():
    old = plan(step("roll.stop@a"), step("roll.start@a", "roll.stop@a"), id="old")
    new = plan(step("roll.stop@a", title="halt"), step("roll.check@b"), id="new")

    (found,) = between(old, new)

    assert [each.id for each in found.added] == ["roll.check@b"]
    assert [each.id for each in found.removed] == ["roll.start@a"]
    assert [each.id for each in found.altered] == ["roll.stop@a"]
    assert (hosts_of(old), hosts_of(new)) == (("a",), ("a", "b"))


def test_other_inputs_and_another_order_are_a_change_without_steps():
    first, second = step("roll.stop@a"), step("roll.start@a")
    old, new = plan(first, second, id="old"), plan(first, replace(second, after=("roll.stop@a",), hop="x>y"), id="new")

    (found,) = between(old, new)

    assert (found.fate, found.added, found.removed, found.altered) == (Fate.CHANGES, (), (), ())


def test_legs_are_compared_one_by_one():
    second = replace(ALL_STOPPED, id="q")
    old, new = [Preview("g", ALL_STOPPED)], [Preview("g", ALL_STOPPED), Preview("g", second)]

    assert [(each.leg, each.fate) for each in changes(old, new)] == [(2, Fate.APPEARS)]


def test_json_names_hosts_blocks_and_the_point_of_no_return():
    blocked = plan(id="b", blocked=(Block("NoRoute", "no way", "wait"),))
    ending = plan(step("contract.drop@c", point_of_no_return=True), id="c")

    found = changes_to_json("old", "new", between(blocked, ending))
    (row,) = found["changes"]

    assert (found["from"], found["to"], found["differs"]) == ("old", "new", True)
    assert row["before"]["blocked"] == [{"reason": "NoRoute", "text": "no way", "hint": "wait"}]
    assert row["after"]["point_of_no_return"] == "contract.drop@c"
    assert (row["hosts_added"], row["hosts_removed"]) == (["c"], [])
    assert row["added"] == [{"id": "contract.drop@c", "phase": "contract", "host": "c", "title": "drop"}]
