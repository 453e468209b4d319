"""The plan of a rehearsal names nothing that serves, but for reading a dump of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.catalog import load_catalog
from reconciler.domain.desired import ConfigFile, Database, Deployment
from reconciler.domain.plan import Plan
from reconciler.domain.position import Position
from reconciler.domain.reasons import Reason
from reconciler.domain.run import History
from reconciler.planning.rehearsal import plan_of
from reconciler.planning.scene import Scene
from tests.planning.test_plan import position
from tests.support.sample import HOSTS, KEYSTONE, desired

CATALOG = load_catalog()
RELEASES = [each.release.id for each in CATALOG.service("keystone").releases]
SCRATCH = Deployment(
    hosts=("ks1",),
    bootstrap="ks1",
    databases={"main": Database(name="main", url="mysql+pymysql://keystone@db/scratch")},
    builds=KEYSTONE.builds,
    config={"*": (ConfigFile(path="/etc/rehearsal/keystone.conf", template="[database]\nconnection = scratch\n"),)},
    commands={"keystone-manage": ("{env}/bin/keystone-manage", "--config-file", "/etc/rehearsal/keystone.conf")},
    vars=KEYSTONE.vars,
    backup_dir=KEYSTONE.backup_dir,
)
KINDS = {
    "environment",
    "backup",
    "restore_check",
    "load",
    "config_files",
    "schema_sync",
    "row_gate",
    "backfill",
    "command",
}


def plan(start: str, goal: str, policy: str = "offline", at: Position | None = None, **changes: object) -> Plan:
    found = desired(**{"release": goal, "policy": policy, "rehearsal": SCRATCH, **changes})
    scene = Scene(desired=found, catalog=CATALOG, history=History(), now=datetime(2026, 1, 2, tzinfo=UTC))
    return plan_of("keystone", at or position(start), scene)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(RELEASES), st.sampled_from(RELEASES), st.sampled_from(["offline", "supported"]))
def test_no_step_names_what_serves_but_for_reading_a_dump(start: str, goal: str, policy: str):
    found = plan(start, goal, policy)
    production = KEYSTONE.databases["main"].url.rsplit("/", 1)[-1]
    files = {each.path for each in KEYSTONE.config["*"]}
    for step in found.steps:
        assert step.kind in KINDS
        assert step.host in {"ks1", ""}
        said = json.dumps(step.args, default=str)
        assert not any(path in said for path in files)
        if step.kind == "environment":
            assert step.args["action"] == "prepare"
        if step.kind != "backup":
            assert f'"dbname": "{production}"' not in said
            assert f'/{production}"' not in said
    assert not any(step.point_of_no_return for step in found.steps)
    assert found.services == ()
    assert bool(found.steps) != bool(found.blocked)


def test_it_walks_the_whole_route_by_the_steps_of_the_leg():
    steps = plan("yoga", "2026.1").steps
    synced = [step for step in steps if step.kind == "schema_sync"]
    assert [step.hop for step in synced] == ["yoga>2023.1", "2023.1>2026.1"]
    assert all(step.args["component"] == "keystone" for step in synced)
    assert [bool(step.args.get("take_back")) for step in steps if step.kind == "load"] == [False, True]
    assert steps[-1].id == "keystone.finish.unload.main@ks1"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"rehearsal": None}, Reason.REHEARSAL_UNFIT), ({"release": "yoga"}, Reason.REHEARSAL_UNFIT)],
)
def test_what_cannot_be_rehearsed_says_why(changes: dict[str, object], reason: Reason):
    assert [each.reason for each in plan("yoga", "2026.1", **changes).blocked] == [reason]


def test_a_service_that_nobody_can_place_is_not_rehearsed():
    unknown = replace(position("yoga"), release="", blocks=plan("yoga", "yoga").blocked)
    assert plan("yoga", "2026.1", at=unknown).blocked == unknown.blocks
    assert set(HOSTS) == {"ks1", "ks2", "ks3"}
