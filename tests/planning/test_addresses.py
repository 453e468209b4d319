"""Copies of databases that say where others are, in rehearsals and replacements, from literals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.catalog import load_catalog
from reconciler.domain.desired import OWN, Database, Deployment
from reconciler.domain.plan import Plan, Step
from reconciler.domain.position import DatabasePosition, HostPosition, Position
from reconciler.domain.reasons import Reason
from reconciler.domain.run import History
from reconciler.planning.plan import make_plan
from reconciler.planning.rehearsal import plan_of
from reconciler.planning.scene import Scene
from tests.planning.test_plan_nova import AT, NOVA
from tests.support.sample import DESIRED, HOSTS

CELL0 = "00000000-0000-0000-0000-000000000000"
COPIES = {name: Database(name=name, url=f"mysql+pymysql://t@db2/trial_{name}") for name in NOVA.databases}


def second(databases: dict[str, Database] = COPIES, **changes: object) -> Deployment:
    found = Deployment(
        hosts=("ks2",),
        bootstrap="ks2",
        databases=databases,
        units=NOVA.units,
        builds=NOVA.builds,
        commands=NOVA.commands,
        backup_dir=NOVA.backup_dir,
    )
    return replace(found, **changes)


def scene_and_position(**changes: object) -> tuple[Scene, Position]:
    service = replace(NOVA, release="queens", **changes)
    position = Position(
        service="nova",
        release="pike",
        databases=tuple(DatabasePosition(name=name, releases=("pike",)) for name in NOVA.databases),
        hosts=tuple(HostPosition(host=name, release="pike", drift=("it differs",)) for name in HOSTS),
    )
    wanted = replace(DESIRED, services={"nova": service})
    return Scene(desired=wanted, catalog=load_catalog(), history=History(), now=AT), position


def rehearsal(**changes: object) -> Plan:
    scene, position = scene_and_position(rehearsal=second(**changes))
    return plan_of("nova", position, scene)


def only(plan: Plan) -> tuple[Step, set[str]]:
    """Return the one step that rewrites addresses, and the kinds of those that wait for it, however far."""
    (step,) = [each for each in plan.steps if each.kind == "addresses"]
    behind = {step.id}
    for each in plan.steps:
        if not behind.isdisjoint(each.after):
            behind.add(each.id)
    return step, {each.id for each in plan.steps if each.id in behind}


def test_in_a_rehearsal_no_schema_step_begins_before_the_copy_names_copies():
    plan = rehearsal()
    step, behind = only(plan)
    assert plan.blocked == ()
    assert (step.args["dbname"], step.args["table"], step.args["blank"]) == (
        "trial_api",
        "cell_mappings",
        {"transport_url": "none:///"},
    )
    assert step.args["places"] == [
        {"key": CELL0, "url": "mysql+pymysql://t@db2/trial_cell0", "password": None},
        {"key": "", "url": "mysql+pymysql://t@db2/trial_main", "password": None},
    ]
    moving = {each.id for each in plan.steps if each.kind in {"schema_sync", "backfill", "command", "upgrade_check"}}
    assert moving
    assert moving <= behind


def test_in_a_replacement_it_names_the_new_deployment_and_keeps_its_message_bus():
    scene, position = scene_and_position(deployment=OWN, procedure="replacement", replacements={"queens": second()})
    plan = make_plan("nova", [position], scene)
    assert plan is not None
    step, behind = only(plan)
    assert (step.args["dbname"], step.args["blank"]) == ("trial_api", {})
    assert {each.id for each in plan.steps if each.kind == "schema_sync"} <= behind


def test_one_that_cannot_be_rewritten_is_refused_with_the_reason():
    files = {name: Database(name=name, url=f"sqlite:////srv/trial/{name}.db") for name in NOVA.databases}
    plan = rehearsal(databases=files)
    assert [each.reason for each in plan.blocked] == [Reason.REHEARSAL_UNFIT]
    assert "cell_mappings of api names other databases" in plan.blocked[0].text


@pytest.mark.parametrize("name", ["keystone", "glance", "cinder", "neutron", "placement", "heat", "ironic"])
def test_only_nova_has_such_rows(name: str):
    assert not any(each.addresses for each in load_catalog().service(name).databases.values())
