from dataclasses import replace

from reconciler.domain.probe import CommandProbe
from reconciler.domain.procedure import ActionSpec, Phase, PhaseSpec, Procedure, Selector, WatchSpec
from reconciler.domain.reasons import Reason
from reconciler.planning.allowed import commands_refused
from tests.support.sample import DESIRED

TOOL = "{env}/bin/keystone-manage"
CLEANUP = Procedure(
    "cleanup",
    "",
    "route",
    (PhaseSpec(Phase.FINISH, "leg", Selector.FLEET, (ActionSpec("command", {"argv": ["rm", "-rf", "/srv/old"]}),)),),
)


def test_without_a_list_every_command_may_run():
    assert commands_refused(DESIRED, None) == ()


def test_a_tool_that_is_listed_as_written_may_run():
    assert commands_refused(DESIRED, {TOOL}) == ()


def test_tools_and_steps_that_are_not_listed_are_named_with_their_place():
    desired = replace(DESIRED, procedures={"cleanup": CLEANUP})

    found = commands_refused(desired, {"true"})

    assert [block.reason for block in found] == [Reason.COMMAND_NOT_ALLOWED] * 2
    assert [block.text for block in found] == [
        f"service keystone, commands.keystone-manage: {TOOL} may not be run by this daemon",
        "procedure cleanup, phase finish: rm may not be run by this daemon",
    ]


def test_what_a_wait_or_a_watch_asks_by_is_a_command_too():
    asked = ActionSpec("wait_until", {"argv": ["reboot"]})
    probe = ActionSpec("watch", {"argv": ["rm", "-r", "/"]})
    watch = WatchSpec(name="guest", probe=probe, first=Phase.ROLL, last=Phase.ROLL, on=Selector.FLEET)
    phase = PhaseSpec(Phase.ROLL, "leg", Selector.FLEET, (asked, ActionSpec("wait_until", {"tcp": "db:3306"})))
    procedure = Procedure("watchful", "", "route", (phase,), watches=(watch,))

    found = commands_refused(replace(DESIRED, procedures={"watchful": procedure}), {TOOL})

    assert [block.text for block in found] == [
        "procedure watchful, phase roll: reboot may not be run by this daemon",
        "procedure watchful, watch guest: rm may not be run by this daemon",
    ]


def test_a_program_that_a_kind_is_told_to_call_is_a_command_too():
    call = ActionSpec("openstack_call", {"ask": ["user", "list"], "column": "ID", "program": "/tmp/openstack"})
    procedure = Procedure("asking", "", "route", (PhaseSpec(Phase.ROLL, "leg", Selector.FLEET, (call,)),))

    found = commands_refused(replace(DESIRED, procedures={"asking": procedure}), {TOOL})

    assert [block.text for block in found] == [
        "procedure asking, phase roll: /tmp/openstack may not be run by this daemon",
    ]


def test_commands_that_a_sites_catalog_asks_the_fleet_by_are_held_against_the_list_too():
    rule = {"id": "bug", "exposed": {"text": "old ones", "command": ["/opt/ask", "--old"]}}
    other = {"id": "words", "exposed": "fleets of old"}
    state = replace(DESIRED, catalog=({"service": "thing", "rules": [rule, other]}, {"series": "things"}))
    assert commands_refused(state, {TOOL, "/opt/ask"}) == ()
    (block,) = commands_refused(state, {TOOL})
    assert block.text == "catalog, service thing: /opt/ask may not be run by this daemon"


def test_what_a_probe_asks_by_is_a_command_too():
    probe = CommandProbe(name="quorum", argv=("rabbitmqctl", "cluster_status"))
    (found,) = commands_refused(replace(DESIRED, probes={"quorum": probe}), {TOOL})
    assert found.text == "probe quorum: rabbitmqctl may not be run by this daemon"
