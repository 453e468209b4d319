"""What a step that may cut its host off carries from the procedure to the host."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.domain.outcome import Done, Failed, Lost, Outcome
from reconciler.domain.plan import Plan, Step
from reconciler.domain.procedure import ActionSpec, CutsLink, Phase, PhaseSpec, Procedure, Selector
from reconciler.domain.reasons import Reason
from reconciler.domain.run import Attempt, Run
from reconciler.planning.account import account_of
from reconciler.planning.actions import expand
from reconciler.planning.allowed import commands_refused
from reconciler.planning.graph import make_step
from reconciler.planning.leg import Place
from reconciler.planning.serial import step_to_json, steps_from_json
from reconciler.planning.way_back import undo_steps
from tests.planning.test_actions import on_a_hop
from tests.support.sample import DESIRED

AT = datetime(2026, 1, 2, tzinfo=UTC)
REVERT = CutsLink(("ip", "route", "{host}"), 90)
GUARDED = ActionSpec("command", {"argv": ["netplan", "apply"]}, cuts_link=REVERT)


def test_a_guard_comes_from_the_action_and_survives_the_journal():
    (draft,) = expand(on_a_hop(), GUARDED)
    step = make_step(draft, Place(service="keystone", phase=Phase.ROLL, host="ks1"))
    assert step.cuts_link == CutsLink(("ip", "route", "ks1"), 90, again=("netplan", "apply"))
    assert steps_from_json([json.loads(json.dumps(step_to_json(step)))]) == (step,)
    assert account_of(step).proved_by[-1] == (
        "ks1 takes a new connection within 90 s, else it runs by itself: ip route ks1"
    )


def test_a_step_without_one_is_written_as_ever():
    (draft,) = expand(on_a_hop(), replace(GUARDED, cuts_link=None))
    step = make_step(draft, Place(service="keystone", phase=Phase.ROLL, host="ks1"))
    assert "cuts_link" not in step_to_json(step)
    assert steps_from_json([step_to_json(step)]) == (step,)


def test_what_brings_a_host_back_must_be_allowed_too():
    guarded = replace(GUARDED, cuts_link=replace(REVERT, again=("ovs-vsctl", "add-br")))
    procedure = Procedure("rewire", "", "route", (PhaseSpec(Phase.ROLL, "leg", Selector.FLEET, (guarded,)),))
    desired = replace(DESIRED, procedures={"rewire": procedure}, services={})
    found = commands_refused(desired, {"netplan"})
    assert [block.text for block in found] == [
        "procedure rewire, phase roll, cuts_link: ip may not be run by this daemon",
        "procedure rewire, phase roll, cuts_link: ovs-vsctl may not be run by this daemon",
    ]


BACK = {"argv": ["netplan", "apply"], "back": ["netplan", "before"]}


@pytest.mark.parametrize(
    ("args", "again", "brought_back_by"),
    [
        (BACK, (), ("netplan", "apply")),
        (BACK | {"env": {"STAGE": "new"}}, (), ("env", "STAGE=new", "netplan", "apply")),
        (BACK | {"cwd": "/etc"}, (), ("sh", "-c", 'cd -- "$0" && exec "$@"', "/etc", "netplan", "apply")),
        (BACK | {"argv": ["netplan", "{value:seen.name}"]}, (), ("ip", "route", "ks1")),
        (BACK, ("again", "{host}"), ("again", "ks1")),
    ],
)
def test_going_back_over_a_link_is_guarded_by_what_the_step_made(args, again, brought_back_by):
    step = step_of(args, again)
    assert steps_from_json([json.loads(json.dumps(step_to_json(step)))]) == (step,)
    (back,) = undone(step, Done())
    assert back.args["argv"] == ["netplan", "before"]
    assert back.cuts_link == CutsLink(brought_back_by, 90)


@pytest.mark.parametrize("outcome", [Failed(str(Reason.LINK_CUT), "cut off"), Lost(str(Reason.STEP_LOST), "gone")])
def test_a_step_that_did_not_stand_is_undone_under_its_own_revert(outcome):
    (back,) = undone(step_of(BACK), outcome)
    assert back.cuts_link == CutsLink(("ip", "route", "ks1"), 90)


def test_what_cuts_no_link_is_undone_without_a_guard():
    (back,) = undone(replace(step_of(BACK), cuts_link=None), Done())
    assert back.cuts_link is None


def test_people_are_told_what_guards_the_way_back():
    assert account_of(step_of(BACK)).undone_by == (
        "netplan before; ks1 takes a new connection within 90 s, else it runs by itself: netplan apply"
    )


def step_of(args: dict[str, object], again: tuple[str, ...] = ()) -> Step:
    (draft,) = expand(on_a_hop(), ActionSpec("command", args, cuts_link=replace(REVERT, again=again)))
    return make_step(draft, Place(service="keystone", phase=Phase.ROLL, host="ks1"))


def undone(step: Step, outcome: Outcome) -> tuple[Step, ...]:
    plan = Plan(id="p1", group="keystone", inputs="i1", services=(), steps=(step,))
    run = Run(id="r1", plan=plan, started_at=AT, attempts={step.id: (Attempt(1, AT, 1, outcome, AT),)})
    return undo_steps([run], under="r1", accept_loss=frozenset())
