"""What a daemon would answer to a goal that is taken back, from literals."""

from __future__ import annotations

from dataclasses import replace

from reconciler.catalog import load_catalog
from reconciler.domain.plan import Plan
from reconciler.domain.reasons import Reason
from reconciler.domain.run import History, Run
from reconciler.planning.rollback import answer_to
from reconciler.planning.scene import Scene
from tests.planning.test_judge import AT, CANARY, IDS, PLAN, run
from tests.support.sample import desired

BEFORE = desired(release="yoga")


def answer(*runs: Run, at: str = "2026.1") -> Plan | None:
    scene = Scene(desired=BEFORE, catalog=load_catalog(), history=History(runs=runs), now=AT)
    return answer_to("keystone", {"keystone": at}, scene)


def done() -> Run:
    return replace(run(len(IDS)), ended="done", ended_at=AT)


def test_what_never_moved_has_nothing_to_take_back():
    assert answer(at="yoga") is None


def test_a_leg_that_only_prepared_is_dropped():
    assert answer(run(2), at="yoga") is None


def test_an_open_leg_is_backed_out():
    found = answer(run(IDS.index(CANARY)), at="yoga")

    assert found is not None
    assert (found.direction, found.undoes, found.blocked) == ("back", "r1", ())
    assert found.services[0].route == ("2026.1", "2023.1", "yoga")
    assert "restore" in {step.kind for step in found.steps}


def test_a_complete_leg_goes_back_over_its_run():
    found = answer(done())

    assert found is not None
    assert (found.services[0].start, found.services[0].goal) == ("2026.1", "yoga")
    assert [step.kind for step in found.steps if step.phase == "preflight"] == ["read_back", "space", "unchanged"]


def test_a_leg_past_its_point_of_no_return_is_refused():
    steps = [replace(step, point_of_no_return=step.id == IDS[-1]) for step in run(0).plan.steps]
    beyond = replace(run(len(IDS)), plan=replace(run(0).plan, steps=tuple(steps)))

    found = answer(beyond)

    assert found is not None
    assert [each.reason for each in found.blocked] == [Reason.BEYOND_NO_RETURN]
    assert found.steps == ()


def test_of_several_legs_none_is_taken_back_when_one_of_them_cannot_be():
    steps = [replace(step, point_of_no_return=step.id == IDS[-1]) for step in run(0).plan.steps]
    older = replace(done(), id="r0", plan=replace(run(0).plan, steps=tuple(steps)))
    newer = replace(done(), id="r1", plan=replace(PLAN, services=(replace(PLAN.services[0], start="2026.1"),)))

    found = answer(older, newer)

    assert found is not None
    assert found.undoes == "r1"
    assert [(each.reason, "r0" in each.text) for each in found.blocked] == [(Reason.BEYOND_NO_RETURN, True)]


def test_without_a_run_in_the_journal_there_is_no_way_back():
    found = answer()

    assert found is not None
    assert [each.reason for each in found.blocked] == [Reason.NO_WAY_BACK]
