"""The table "going back", held against what the engine does."""

from __future__ import annotations

from dataclasses import replace

from reconciler.domain.plan import Undo
from reconciler.planning.retreat import Retreat, Stretch, stretches
from tests.planning.graphs import ALL_STOPPED, plan, step

RESTORE = Undo("restore", {}, "restore database main")


def outline(found: tuple[Stretch, ...]) -> list[tuple[Retreat, str, str]]:
    return [(each.retreat, each.first.id, each.last.id) for each in found]


def test_before_anything_is_stopped_there_is_nothing_to_take_back():
    assert outline(stretches(ALL_STOPPED)) == [
        (Retreat.DROPPED, "prepare.fetch@a", "prepare.fetch@b"),
        (Retreat.AUTOMATIC, "quiesce.stop@a", "roll.check@a"),
        (Retreat.BY_COMMIT, "roll.start@b", "finish.smoke"),
    ]


def test_all_that_was_done_is_undone_newest_first_and_drawn_together():
    *_, last = stretches(ALL_STOPPED)

    assert [(each.title, each.hosts) for each in last.undo] == [("undo start", ("a", "b")), ("undo stop", ("a", "b"))]


def test_nothing_is_taken_back_beyond_the_point_of_no_return():
    contracting = plan(
        step("roll.start@a", wave=0),
        step("contract.drop@a", point_of_no_return=True),
        step("finish.smoke"),
    )

    found = stretches(contracting)

    assert outline(found) == [
        (Retreat.AUTOMATIC, "roll.start@a", "roll.start@a"),
        (Retreat.REFUSED, "contract.drop@a", "finish.smoke"),
    ]
    assert found[-1].undo == ()


def test_after_the_cutover_of_a_replacement_a_person_decides():
    replacing = plan(step("quiesce.stop@old"), step("cutover.point-dns"), step("retire.remove@old"))

    assert outline(stretches(replacing)) == [
        (Retreat.AUTOMATIC, "quiesce.stop@old", "quiesce.stop@old"),
        (Retreat.BY_COMMIT, "cutover.point-dns", "retire.remove@old"),
    ]


def test_a_restore_loses_what_was_written_once_hosts_serve_again():
    steps = tuple(replace(each, undo=RESTORE) if each.title == "sync" else each for each in ALL_STOPPED.steps)

    assert [each.loses for each in stretches(plan(*steps))] == [(), ("s",), ("s",)]
    assert [each.loses for each in stretches(plan(*steps[:5]))] == [(), ()]


def test_a_way_back_has_no_way_back_and_a_blocked_plan_neither():
    assert stretches(replace(ALL_STOPPED, direction="back")) == ()
    assert stretches(plan()) == ()
