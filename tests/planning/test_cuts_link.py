"""What a step that may cut its host off carries from the procedure to the host."""

from __future__ import annotations

import json
from dataclasses import replace

from reconciler.domain.procedure import ActionSpec, CutsLink, Phase, PhaseSpec, Procedure, Selector
from reconciler.planning.account import account_of
from reconciler.planning.actions import expand
from reconciler.planning.allowed import commands_refused
from reconciler.planning.graph import make_step
from reconciler.planning.leg import Place
from reconciler.planning.serial import step_to_json, steps_from_json
from tests.planning.test_actions import on_a_hop
from tests.support.sample import DESIRED

GUARDED = ActionSpec("command", {"argv": ["netplan", "apply"]}, cuts_link=CutsLink(("ip", "route", "{host}"), 90))


def test_a_guard_comes_from_the_action_and_survives_the_journal():
    (draft,) = expand(on_a_hop(), GUARDED)
    step = make_step(draft, Place(service="keystone", phase=Phase.ROLL, host="ks1"))
    assert step.cuts_link == CutsLink(("ip", "route", "ks1"), 90)
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
    procedure = Procedure("rewire", "", "route", (PhaseSpec(Phase.ROLL, "leg", Selector.FLEET, (GUARDED,)),))
    desired = replace(DESIRED, procedures={"rewire": procedure}, services={})
    found = commands_refused(desired, {"netplan"})
    assert [block.text for block in found] == [
        "procedure rewire, phase roll, cuts_link: ip may not be run by this daemon"
    ]
