"""The plan of a service whose databases appear on the way: nova from kilo to pike, everything stopped."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from reconciler.catalog import load_catalog
from reconciler.domain.desired import Database
from reconciler.domain.plan import Plan
from reconciler.domain.position import DatabasePosition, HostPosition, Position
from reconciler.domain.procedure import Phase
from reconciler.domain.run import History
from reconciler.planning.plan import Scene, make_plan
from tests.support.sample import DESIRED, HOSTS, KEYSTONE

NOVA = replace(
    KEYSTONE,
    name="nova",
    component="nova",
    release="pike",
    databases={name: Database(name=name, url=f"mysql+pymysql://n@db/{name}") for name in ("api", "cell0", "main")},
    commands={"nova-manage": ("{env}/bin/nova-manage",)},
)
AT = datetime(2026, 1, 2, tzinfo=UTC)


def plan() -> Plan:
    position = Position(
        service="nova",
        release="kilo",
        databases=tuple(DatabasePosition(name=name, releases=("kilo",)) for name in NOVA.databases),
        hosts=tuple(HostPosition(host=name, release="kilo", drift=("it differs",)) for name in HOSTS),
    )
    scene = Scene(desired=replace(DESIRED, services={"nova": NOVA}), catalog=load_catalog(), history=History(), now=AT)
    found = make_plan("nova", [position], scene)
    assert found is not None
    assert found.blocked == ()
    return found


def test_each_stop_does_its_own_work_in_its_own_order() -> None:
    done = [step for step in plan().steps if step.phase is Phase.MIGRATE and step.kind not in {"config_files", "seal"}]
    order = [f"{step.kind} {step.hop.partition('>')[2]}" for step in done]
    assert list(dict.fromkeys(order)) == [
        "row_gate mitaka",
        "schema_sync mitaka",
        "backfill newton",
        "row_gate newton",
        "schema_sync newton",
        "command newton",
        "backfill pike",
        "row_gate pike",
        "schema_sync pike",
    ]
    assert [step.title for step in done if step.kind in {"schema_sync", "command"}] == [
        "sync the schema of api with mitaka's code",
        "sync the schema of main with mitaka's code",
        "sync the schema of api with newton's code",
        "sync the schema of cell0, main with newton's code",
        "nova-manage cell_v2 simple_cell_setup with newton's code",
        "sync the schema of api with pike's code",
        "sync the schema of cell0, main with pike's code",
    ]


def test_a_database_is_demanded_from_the_release_on_that_needs_it() -> None:
    steps = {step.id.removeprefix("nova.migrate."): step for step in plan().steps}
    newton, pike = (steps[f"schema-sync.cell0-main.{release}@ks1"] for release in ("newton", "pike"))
    assert newton.args.get("absent_ok") is True
    assert "absent_ok" not in pike.args
    assert "absent_ok" not in steps["seal.cell0"].args
