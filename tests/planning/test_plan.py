"""The plan of a leg, from literals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.catalog import load_catalog
from reconciler.domain.desired import Canary, Waves
from reconciler.domain.outcome import Done
from reconciler.domain.plan import Block, Plan, Step
from reconciler.domain.position import DatabasePosition, HostPosition, Position
from reconciler.domain.procedure import Phase
from reconciler.domain.reasons import Reason
from reconciler.domain.run import Attempt, History, Run
from reconciler.planning.plan import make_plan
from reconciler.planning.scene import Scene, inputs_of
from reconciler.planning.serial import plan_from_json, plan_to_json
from reconciler.planning.way_back import undo_steps
from tests.support.sample import DESIRED, HOSTS, desired

CATALOG = load_catalog()
AT = datetime(2026, 1, 2, tzinfo=UTC)
RELEASES = [each.release.id for each in CATALOG.service("keystone").releases]


def position(release: str = "yoga", drifted: tuple[str, ...] = tuple(HOSTS), **changes: object) -> Position:
    hosts = tuple(
        HostPosition(
            host=name,
            release=release,
            drift=("it differs",) if name in drifted else (),
            link_path=f"/srv/keystone/{release}",
        )
        for name in HOSTS
    )
    found = Position(
        service="keystone",
        release=release,
        databases=(DatabasePosition(name="main", releases=(release,)),),
        hosts=hosts,
    )
    return replace(found, **changes)


def plan(at: Position | None = None, **changes: object) -> Plan:
    scene = Scene(desired=desired(**changes), catalog=CATALOG, history=History(), now=AT)
    found = make_plan("keystone", [at or position()], scene)
    assert found is not None
    return found


def ids(steps: tuple[Step, ...]) -> list[str]:
    return [step.id.removeprefix("keystone.") for step in steps]


def ancestors(step: Step, by_id: dict[str, Step]) -> set[str]:
    found: set[str] = set()
    todo = list(step.after)
    while todo:
        each = todo.pop()
        if each not in found:
            found.add(each)
            todo += by_id[each].after
    return found


def test_a_fleet_at_its_goal_needs_no_plan():
    scene = Scene(desired=desired(), catalog=CATALOG, history=History(), now=AT)

    assert make_plan("keystone", [position(drifted=())], scene) is None


def test_a_fast_forward_is_one_leg_over_the_whole_route():
    found = plan(release="2026.1")

    assert [route.route for route in found.services] == [("yoga", "2023.1", "2026.1")]
    assert ids(found.steps) == [
        "preflight.space.main@ks1",
        "prepare.prepare.2023.1@ks1",
        "prepare.prepare.2026.1@ks1",
        "prepare.prepare.2026.1@ks2",
        "prepare.prepare.2026.1@ks3",
        "quiesce.stop@ks1",
        "quiesce.stop@ks2",
        "quiesce.stop@ks3",
        "backup.backup.main@ks1",
        "migrate.configure.2023.1@ks1",
        "migrate.schema-sync.main.2023.1@ks1",
        "migrate.configure.2026.1@ks1",
        "migrate.schema-sync.main.2026.1@ks1",
        "migrate.seal.main",
        *(f"roll.{step}@{host}" for host in HOSTS for step in ROLL),
        "finish.smoke.token",
    ]


ROLL = ("install", "configure.2026.1", "start", "verify-build", "verify.token")


def test_nothing_of_the_pause_begins_before_every_host_is_prepared():
    found = plan(release="2026.1")
    by_id = {step.id: step for step in found.steps}
    prepared = {step.id for step in found.steps if step.phase is Phase.PREPARE}

    assert all(step.after == () for step in found.steps if step.phase is Phase.PREPARE)
    assert prepared <= ancestors(by_id["keystone.quiesce.stop@ks2"], by_id)


def test_with_downtime_a_leg_is_one_hop():
    found = plan(release="2026.1", procedure="downtime")

    assert [route.route for route in found.services] == [("yoga", "2023.1")]
    assert not any("2026.1" in step.id for step in found.steps)


def test_zero_downtime_expands_first_contracts_last_and_stops_one_host_at_a_time():
    found = plan(release="2023.1", procedure="zero-downtime", policy="supported")
    by_id = {step.id: step for step in found.steps}
    contract = by_id["keystone.contract.schema-contract.main.2023.1@ks1"]

    assert contract.point_of_no_return
    assert {step.id for step in found.steps if step.phase is Phase.ROLL} <= ancestors(contract, by_id)
    assert "keystone.migrate.schema-expand.main.2023.1@ks1" in ancestors(by_id["keystone.roll.stop@ks1"], by_id)
    assert by_id["keystone.roll.stop@ks2"].after == ("keystone.roll.verify.token@ks1",)
    assert by_id["keystone.migrate.schema-expand.main.2023.1@ks1"].undo is None


def test_a_refresh_touches_only_hosts_that_drifted():
    found = plan(position(drifted=("ks2",)))

    assert {step.host for step in found.steps if step.host} == {"ks2"}
    assert not any(step.phase in {Phase.BACKUP, Phase.MIGRATE} for step in found.steps)


def test_the_schema_step_runs_the_releases_own_code_and_knows_what_to_read_back():
    step = next(step for step in plan(release="2026.1").steps if step.id.endswith("schema-sync.main.2023.1@ks1"))

    assert step.args["argv"] == [
        "/srv/keystone/2023.1/bin/keystone-manage",
        "--config-file",
        "/etc/keystone/keystone.conf",
        "db_sync",
    ]
    assert step.args["accept"] == [{"alembic": ["29e87d24a316", "e25ffa003242"], "migrate": None}]
    assert step.undo is not None
    assert step.undo.kind == "restore"


def test_an_unknown_host_blocks_and_is_named():
    hosts = (*position().hosts[:2], HostPosition(host="ks3", unknown=Block("HostUnreachable", "host ks3: no route")))

    found = plan(position(hosts=hosts, blocks=(Block("HostUnreachable", "host ks3: no route"),)), release="2026.1")

    assert [block.text for block in found.blocked] == ["host ks3: no route"]
    assert found.steps == ()


def test_an_older_goal_without_a_way_back_is_blocked():
    found = plan(position("2026.1"), release="yoga")

    assert [block.reason for block in found.blocked] == [Reason.NO_WAY_BACK]


def test_an_override_is_in_the_way_of_a_procedure_that_stops_everything():
    assert plan(release="2026.1", overrides={"ks3": "yoga"}).blocked[0].reason == Reason.OVERRIDE_IN_THE_WAY


def test_a_canary_that_runs_the_goal_already_blocks_the_leg():
    stands = position("yoga")
    there = replace(
        stands, hosts=tuple(replace(each, release="2026.1") if each.host == "ks1" else each for each in stands.hosts)
    )
    found = plan(there, release="2026.1", canary=Canary(host="ks1"))
    assert [each.reason for each in found.blocked] == [Reason.CANARY_UNFIT]
    assert "ks1 runs the goal already" in found.blocked[0].text
    assert plan(there, release="2026.1").blocked == ()


def test_an_override_keeps_a_host_out_of_a_rolling_leg():
    found = plan(release="2023.1", procedure="zero-downtime", policy="supported", overrides={"ks3": "yoga"})

    assert not any(step.host == "ks3" for step in found.steps)


def test_a_release_without_a_build_is_blocked_before_anything_starts():
    found = plan(release="2026.1", builds={"2026.1": desired().services["keystone"].builds["*"]})

    assert [block.reason for block in found.blocked] == [Reason.NO_BUILD]


def test_inputs_are_what_the_desired_state_says_of_the_group_and_nothing_else():
    same = replace(DESIRED, fleet="renamed", suspended="storm")

    assert inputs_of("keystone", same) == inputs_of("keystone", DESIRED)
    assert inputs_of("keystone", desired(release="2026.1")) != inputs_of("keystone", DESIRED)
    assert inputs_of("keystone", desired(suspended="me")) == inputs_of("keystone", DESIRED)


@pytest.mark.parametrize("procedure", ["fast-forward", "zero-downtime", "downtime"])
def test_a_plan_survives_the_journal(procedure: str):
    found = plan(release="2023.1", procedure=procedure)

    assert plan_from_json(plan_to_json(found)) == found


@settings(max_examples=60, deadline=None)
@given(
    goal=st.sampled_from(RELEASES[RELEASES.index("yoga") + 1 :]),
    procedure=st.sampled_from(["fast-forward", "downtime", "zero-downtime"]),
    policy=st.sampled_from(["supported", "offline"]),
    sizes=st.lists(st.integers(1, 3), min_size=1, max_size=3),
)
def test_every_plan_obeys_the_law(goal: str, procedure: str, policy: str, sizes: list[int]):
    changes = {"release": goal, "procedure": procedure, "policy": policy, "waves": Waves(sizes=tuple(sizes))}
    found = plan(**changes)
    if found.blocked:
        return
    by_id = {step.id: step for step in found.steps}
    seen: set[str] = set()
    for step in found.steps:
        assert set(step.after) <= seen  # an order that can be carried out
        seen.add(step.id)
        before = [by_id[each] for each in ancestors(step, by_id)]
        if step.kind == "schema_sync":
            assert any(each.kind == "backup" for each in before)
        if step.phase is Phase.ROLL and (step.wave or 0) > 0:
            canary = [each for each in found.steps if each.phase is Phase.ROLL and each.wave == 0]
            assert all(each in before for each in canary)
        if step.point_of_no_return:
            assert all(each in before for each in found.steps if each.phase is Phase.ROLL)
    assert len(by_id) == len(found.steps)
    assert plan(**changes) == found  # same inputs, same plan


def crowd(count: int) -> Plan:
    hosts = {f"h{n}": replace(HOSTS["ks1"], name=f"h{n}", address=f"10.1.0.{n}") for n in range(count)}
    sample = desired(release="2026.1", hosts=tuple(hosts), bootstrap="h0", waves=Waves(sizes=(count,)))
    scene = Scene(desired=replace(sample, hosts=hosts), catalog=CATALOG, history=History(), now=AT)
    standing = tuple(replace(position().hosts[0], host=name) for name in hosts)
    found = make_plan("keystone", [position(hosts=standing)], scene)
    assert found is not None
    return found


def edges(steps: tuple[Step, ...]) -> int:
    return sum(len(step.after) for step in steps)


def test_a_crowd_of_hosts_waits_for_one_barrier_and_not_for_each_other():
    small, large = crowd(60), crowd(120)
    by_id = {step.id: step for step in large.steps}
    barriers = [step for step in large.steps if step.kind == "barrier"]

    assert [step.phase for step in barriers] == [Phase.PREPARE, Phase.QUIESCE, Phase.ROLL]
    assert barriers[0].id in by_id["keystone.quiesce.stop@h7"].after
    assert ancestors(by_id["keystone.quiesce.stop@h7"], by_id) >= {
        step.id for step in large.steps if step.phase is Phase.PREPARE
    }
    assert edges(large.steps) < 2.1 * edges(small.steps)
    assert not any(step.kind == "barrier" for step in crowd(50).steps)


def test_the_way_back_of_a_crowd_is_no_square_either():
    def back(count: int) -> tuple[Step, ...]:
        found = crowd(count)
        done = Attempt(1, AT, 1, outcome=Done({"fingerprint": "f"}, ""), ended_at=AT)
        run = Run(id="r", plan=found, started_at=AT, attempts={step.id: (done,) for step in found.steps})
        return undo_steps([run], under="r", accept_loss=frozenset())

    assert edges(back(120)) < 2.1 * edges(back(60))
    by_id = {step.id: step for step in back(120)}
    assert set(by_id) >= {each for step in by_id.values() for each in step.after}
    first = by_id["back.keystone.quiesce.stop@h9"]
    assert ancestors(first, by_id) >= {f"back.keystone.roll.start@h{n}" for n in range(120)}
