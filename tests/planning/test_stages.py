"""Plans of groups, of every selector, and of watches: what comes before what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.catalog import load_catalog
from reconciler.domain.desired import Canary, Desired, Host, Service, Waves
from reconciler.domain.plan import Plan, Step
from reconciler.domain.position import DatabasePosition, HostPosition, Position
from reconciler.domain.procedure import Procedure
from reconciler.domain.reasons import Reason
from reconciler.domain.run import History
from reconciler.planning.plan import make_plan
from reconciler.planning.scene import Scene
from tests.scenarios.stage import second
from tests.support.procedures import written
from tests.support.sample import KEYSTONE, procedures

NAMES = ("c1", "c2", "c3", "c4")
HOSTS = {
    name: Host(
        name=name,
        address=f"10.0.0.{n}",
        roles=frozenset({"net" if name == "c4" else "compute"}),
        vars={"port": "5000"},
    )
    for n, name in enumerate(NAMES, start=1)
}


def service(name: str, hosts: tuple[str, ...] = NAMES, **changes: object) -> Service:
    """Return an agent: no database, hosts, the procedure `mine`."""
    found = replace(second(name), hosts=hosts, bootstrap=hosts[0], databases={}, verify=(), smoke=(), config={})
    return replace(found, release="2023.1", procedure="mine", waves=Waves(sizes=(2,)), **changes)


def fleet(*services: Service, procedure: str = "", one_by_one: bool = False) -> Desired:
    own: Mapping[str, Procedure] = written(procedure) if procedure else {}
    return Desired(
        fleet="f",
        hosts=HOSTS,
        services={each.name: each for each in services},
        groups={"all": tuple(each.name for each in services)},
        procedures={**procedures(), **own},
        one_by_one=frozenset({"all"} if one_by_one else ()),
    )


def plan(desired: Desired, at: str = "yoga") -> Plan:
    places = [
        Position(
            service=each.name,
            release=at,
            databases=tuple(DatabasePosition(name=name, releases=(at,)) for name in each.databases),
            hosts=tuple(
                HostPosition(host=name, release=at, drift=("it differs",), link_path=f"/srv/{each.name}/{at}")
                for name in each.hosts
            ),
        )
        for each in desired.services.values()
    ]
    now = datetime(2026, 1, 2, tzinfo=UTC)
    found = make_plan("all", places, Scene(desired=desired, catalog=load_catalog(), history=History(), now=now))
    assert found is not None
    return found


def before(found: Plan, step: str) -> set[str]:
    """Return all that must be done before a step."""
    known = {each.id: each for each in found.steps}
    todo, seen = list(known[step].after), set[str]()
    while todo:
        each = todo.pop()
        if each not in seen:
            seen.add(each)
            todo += known[each].after
    return seen


def ids(steps: tuple[Step, ...]) -> list[str]:
    return [step.id for step in steps]


ROLLED = """
mine:
  text: Whatever is under test.
  leg: route
  phases:
    - {{phase: roll, on: {on}, rolling: {rolling}, steps: [{{action: command, argv: [move, "{{host}}", "{{onto}}"]}}]}}
"""


def rolled(on: str, *, rolling: str = "false", first: str = "") -> list[tuple[int | None, str, str]]:
    """Return wave, host and onto of each step that a selector gives, in a phase of its own or after another."""
    text = ROLLED.format(on=on, rolling=rolling)
    if first:
        text = text.replace("phases:\n", f"phases:\n    - {{phase: roll, on: {first}, steps: [start]}}\n")
    steps = plan(fleet(service("nova"), procedure=text)).steps
    return [(step.wave, step.host, str(step.args["argv"][2])) for step in steps if step.kind == "command"]


@pytest.mark.parametrize(
    ("on", "first", "rolling", "expected"),
    [
        ("wave", "", "false", [(0, "c1", ""), (1, "c2", "c1"), (1, "c3", "c1"), (2, "c4", "c2")]),
        ("first", "", "false", [(0, "c1", "")]),
        ("others", "first", "false", [(1, "c2", "c1"), (1, "c3", "c1"), (1, "c4", "c1")]),
        ("others", "first", "true", [(1, "c2", "c1"), (2, "c3", "c2"), (3, "c4", "c3")]),
        ("fleet", "", "false", [(0, "c1", ""), (1, "c2", "c1"), (1, "c3", "c1"), (1, "c4", "c1")]),
        ("role net", "", "false", [(0, "c4", "")]),
        ("role compute", "role net", "false", [(1, "c1", "c4"), (2, "c2", "c1"), (2, "c3", "c1")]),
        ("pending", "role net", "false", [(1, "c1", "c4"), (1, "c2", "c4"), (1, "c3", "c4")]),
        ("moved", "first", "false", [(0, "c1", "c1")]),
        ("bootstrap", "", "false", [(0, "c1", "")]),
    ],
)
def test_a_canary_goes_first_and_each_round_knows_the_one_before(on, first, rolling, expected):
    assert rolled(on, first=first, rolling=rolling) == expected


def test_hosts_that_are_not_moved_go_side_by_side_or_in_turn():
    text = ROLLED.format(on="fleet", rolling="false").replace("roll,", "quiesce,")
    at_once = plan(fleet(service("nova"), procedure=text)).steps
    in_turn = plan(fleet(service("nova"), procedure=text.replace("rolling: false", "rolling: true"))).steps

    assert {step.after for step in at_once} == {()}
    assert [step.after for step in in_turn] == [(), *((step.id,) for step in in_turn[:-1])]
    assert {step.wave for step in in_turn} == {None}


DRAINED = """
mine:
  text: Drain, move, fill again.
  leg: route
  phases:
    - {phase: prepare, on: fleet, steps: [prepare_build]}
    - phase: roll
      on: wave
      steps:
        - {action: command, name: drain, argv: [drain, "{host}"]}
        - stop
        - start
        - {action: command, name: fill, argv: [fill, "{host}"]}
"""


def test_services_that_share_hosts_drain_each_host_once():
    nova, neutron = service("nova"), service("neutron", canary=Canary(host="c3"))
    found = plan(fleet(nova, neutron, procedure=DRAINED))

    drains = [step.host for step in found.steps if step.name == "drain"]
    assert drains == list(NAMES)
    assert {"nova.roll.stop@c1", "neutron.roll.stop@c1"} <= before(found, "nova.roll.fill@c1")
    assert {"nova.roll.fill@c1"} <= before(found, "neutron.roll.stop@c2")


def test_the_canary_of_services_that_share_hosts_bears_all_of_them():
    found = plan(fleet(service("nova"), service("neutron", ("c3", "c4")), procedure=DRAINED))

    first = {step.host for step in found.steps if step.phase == "roll" and step.wave == 0}
    assert first == {"c3"}
    assert [step.host for step in found.steps if step.name == "drain"] == ["c3", "c1", "c2", "c4"]


def test_services_without_a_host_in_common_go_side_by_side():
    found = plan(fleet(service("nova", ("c1", "c2")), service("neutron", ("c3", "c4")), procedure=DRAINED))

    assert not before(found, "nova.roll.fill@c2") & {step.id for step in found.steps if "neutron.roll" in step.id}


def test_one_by_one_prepares_all_first_then_moves_service_after_service():
    found = plan(fleet(service("nova"), service("neutron"), procedure=DRAINED, one_by_one=True))

    first_of_nova = before(found, "nova.roll.drain@c1")
    assert {f"{name}.prepare.prepare.2023.1@{host}" for name in ("nova", "neutron") for host in NAMES} <= first_of_nova
    assert {step.id for step in found.steps if step.id.startswith("nova.roll")} <= before(
        found, "neutron.roll.drain@c1"
    )
    assert len([step for step in found.steps if step.name == "drain"]) == 8


def test_neighbours_with_one_procedure_share_barriers_and_others_follow():
    services = (service("nova"), service("neutron"), replace(service("cinder"), procedure="rolling"))
    found = plan(fleet(*services, procedure=DRAINED))

    assert "cinder.prepare.prepare.2023.1@c4" in before(found, "nova.roll.drain@c1")
    assert {"nova.roll.fill@c4", "neutron.roll.stop@c4"} <= before(found, "cinder.roll.stop@c1")


HOPS = """
mine:
  text: The same command on every hop.
  leg: route
  phases:
    - {phase: prepare, on: fleet, steps: [prepare_build]}
    - phase: quiesce
      each: hop
      on: bootstrap
      steps:
        - {action: command, argv: [pin, "{from}", "{release}"]}
        - {action: command, argv: [first], when: first_hop}
        - {action: command, argv: [last], when: last_hop}
        - {action: command, argv: [named], when: to antelope}
        - {action: command, argv: [twice]}
        - {action: command, argv: [twice]}
"""


def test_what_a_hop_repeats_is_done_on_every_hop():
    agent = replace(service("nova"), release="2026.1", policy="offline")
    found = plan(fleet(agent, procedure=HOPS))

    done = [(step.hop, " ".join(map(str, step.args["argv"]))) for step in found.steps if step.kind == "command"]
    assert done == [
        ("yoga>2023.1", "pin yoga 2023.1"),
        ("yoga>2023.1", "first"),
        ("yoga>2023.1", "named"),
        ("yoga>2023.1", "twice"),
        ("yoga>2023.1", "twice"),
        ("2023.1>2026.1", "pin 2023.1 2026.1"),
        ("2023.1>2026.1", "last"),
        ("2023.1>2026.1", "twice"),
        ("2023.1>2026.1", "twice"),
    ]
    assert len(set(ids(found.steps))) == len(found.steps)


ON_OTHERS = """
mine:
  text: The agents stop with the servers.
  leg: route
  phases:
    - {phase: quiesce, on: service agents, steps: [stop]}
    - {phase: roll, on: wave, steps: [start]}
"""


def test_the_hosts_of_another_service_are_worked_on_as_that_service():
    agents = replace(service("agents", ("c3", "c4")), release="yoga", procedure="rolling")
    desired = fleet(service("nova", ("c1", "c2")), agents, procedure=ON_OTHERS)
    position = plan(desired)

    stops = [step for step in position.steps if step.phase == "quiesce"]
    assert ids(tuple(stops)) == ["agents.quiesce.stop@c3", "agents.quiesce.stop@c4"]
    assert stops[0].args["units"] == ["agents"]


WATCHED = """
mine:
  text: A guest must answer all the time.
  leg: route
  phases:
    - {phase: prepare, on: fleet, steps: [prepare_build]}
    - {phase: quiesce, on: fleet, steps: [stop]}
    - {phase: roll, on: wave, steps: [start]}
    - {phase: finish, on: bootstrap, steps: [{action: command, argv: [bye]}]}
  watches:
    - {name: guest, ping: 192.0.2.10, from: quiesce, to: roll}
"""


def test_a_watch_begins_before_its_first_phase_is_checked_after_each_and_ends_after_its_last():
    found = plan(fleet(service("nova"), procedure=WATCHED))

    watch = [step.id for step in found.steps if step.kind == "watch"]
    assert watch == [
        "nova.quiesce.watch.guest.start@c1",
        "nova.quiesce.watch.guest.check@c1",
        "nova.roll.watch.guest.check@c1",
        "nova.roll.watch.guest.stop@c1",
    ]
    stops = {f"nova.quiesce.stop@{host}" for host in NAMES}
    assert all(watch[0] in before(found, stop) for stop in stops)
    assert stops <= before(found, watch[1])
    assert watch[1] in before(found, "nova.roll.start@c1")
    assert watch[3] in before(found, "nova.finish.command@c1")
    start = next(step for step in found.steps if step.id == watch[0])
    assert start.undo is not None
    assert start.undo.args["action"] == "stop"


def test_what_services_watch_on_the_same_host_is_watched_once_from_where_a_value_comes():
    text = WATCHED.replace("ping: 192.0.2.10", 'ping: "{value:guest.address}", forgive: "2"')
    found = plan(fleet(service("nova"), service("agents", ("c1", "c2")), procedure=text))

    starts = [step for step in found.steps if step.kind == "watch" and step.args["action"] == "start"]
    assert ids(tuple(starts)) == ["nova.quiesce.watch.guest.start@c1"]
    assert starts[0].args["ping"] == "{value:guest.address}"
    assert starts[0].undo is not None
    assert starts[0].undo.args["forgive"] == 2


LOCK_STEP = """
mine:
  text: Services of a host go through a release together.
  leg: route
  phases:
    - phase: quiesce
      each: hop
      on: role net
      steps:
        - {action: command, name: repository, argv: [switch, "{release}"], title: "{service} before {release}: {title}"}
        - {action: command, name: packages, argv: ["{service}", "{release}"]}
"""


def test_services_that_share_a_host_go_through_each_hop_together_and_a_title_may_hold_the_actions_own():
    services = [replace(service(name), release="2026.1", policy="offline") for name in ("nova", "agents")]
    found = plan(fleet(*services, procedure=LOCK_STEP))

    assert [(step.hop, " ".join(map(str, step.args["argv"]))) for step in found.steps] == [
        ("yoga>2023.1", "switch 2023.1"),
        ("yoga>2023.1", "nova 2023.1"),
        ("yoga>2023.1", "agents 2023.1"),
        ("2023.1>2026.1", "switch 2026.1"),
        ("2023.1>2026.1", "nova 2026.1"),
        ("2023.1>2026.1", "agents 2026.1"),
    ]
    assert [step.after for step in found.steps[1:]] == [(step.id,) for step in found.steps[:-1]]
    assert found.steps[0].title == "nova before 2023.1: switch 2023.1"


def test_services_with_other_hops_go_through_theirs_by_themselves():
    nova = replace(service("nova"), release="2026.1", policy="offline")
    found = plan(fleet(nova, service("agents"), procedure=LOCK_STEP))

    hops = [(step.service, step.hop) for step in found.steps if step.name == "packages"]
    assert hops == [("nova", "yoga>2023.1"), ("nova", "2023.1>2026.1"), ("agents", "yoga>2023.1")]


def test_a_procedure_that_does_not_fit_is_told_and_plans_nothing():
    text = """
mine:
  text: Loads what nobody has.
  leg: route
  phases:
    - {phase: backup, on: bootstrap, steps: [backup]}
    - {phase: load, on: bootstrap, steps: [load]}
"""
    found = plan(fleet(service("nova"), procedure=text))

    assert [block.reason for block in found.blocked] == [Reason.PROCEDURE_UNFIT]
    assert found.steps == ()


def test_an_advice_is_marked_so_that_its_failure_stops_nothing():
    text = """
mine:
  text: Asks, and moves.
  leg: route
  phases:
    - {phase: preflight, on: fleet, steps: [{action: command, argv: [ask], required: false}]}
    - {phase: roll, on: wave, steps: [start]}
"""
    found = plan(fleet(service("nova"), procedure=text))

    assert {step.advisory for step in found.steps if step.phase == "preflight"} == {True}
    assert {step.advisory for step in found.steps if step.phase == "roll"} == {False}


def test_the_same_inputs_give_the_same_plan():
    desired = fleet(service("nova"), service("neutron"), procedure=DRAINED)

    assert plan(desired) == plan(desired)
    assert plan(desired).id != plan(replace(desired, one_by_one=frozenset({"all"}))).id


BUILT_IN = sorted(set(procedures()) - {"refresh", "rehearsal", "replacement"})


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_procedure_moves_a_canary_first_and_backs_up_before_the_schema(name: str):
    hosts = {**HOSTS, "c2": replace(HOSTS["c2"], roles=frozenset({"held-back"}))}
    keystone = replace(
        KEYSTONE,
        hosts=NAMES,
        bootstrap="c1",
        procedure=name,
        policy="offline",
        release="2023.1",
        vars={"region": "RegionOne", "os_cloud": "admin"},
    )
    found = plan(replace(fleet(keystone), hosts=hosts))

    assert not found.blocked
    rolled = [step for step in found.steps if step.phase == "roll"]
    canary = {step.id for step in rolled if step.wave == 0}
    assert {step.host for step in rolled if step.wave == 0} == {"c1"}
    assert {step.host for step in rolled} == set(NAMES)
    assert all(canary <= before(found, step.id) for step in rolled if step.wave)
    for step in found.steps:
        if step.kind == "schema_sync":
            assert any(each.startswith("keystone.backup.backup") for each in before(found, step.id))
