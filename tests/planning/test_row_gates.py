"""Where the questions for rows stand in a plan, and the code that takes the rows away."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.catalog import build_catalog
from reconciler.domain.desired import BuildSpec, Database
from reconciler.domain.plan import Plan, Step
from reconciler.domain.position import DatabasePosition, HostPosition, Position
from reconciler.domain.run import History
from reconciler.planning.plan import make_plan
from reconciler.planning.scene import Scene
from reconciler.steps import backfill, kinds
from tests.support.sample import HOSTS, desired

RELEASES = ("a", "b", "c")
TOOL = ["toy-manage", "online"]
BACKFILL = {"argv": TOOL, "source": "the toy's manual"}
DIRECT = {"id": "direct", "kind": "direct", "reason": "It takes it.", "source": "us", "verified": "run"}
GATE: dict[str, Any] = {
    "id": "typed",
    "kind": "gate",
    "reason": "Toys need a type.",
    "source": "us",
    "verified": "run",
    "to": {"first": "b"},
    "meet": "The online migrations give them one.",
    "rows": [{"tables": ["toys"], "key": "toy", "sql": "SELECT id FROM toys WHERE type IS NULL"}],
}
CURED = GATE | {"cure": TOOL, "cured_by": {"last": "b"}}


def plan(*rules: dict[str, Any], procedure: str = "fast-forward", backfill: Any = BACKFILL, **changes: Any) -> Plan:
    """Plan the way of a toy from a to c; offline it goes there at once unless `rules` refuse that."""
    service = {
        "service": "toy",
        "series": "toys",
        "databases": {"main": {"migrate": {"repositories": [{"name": "toy"}]}}},
        "eras": [
            {
                "zero_downtime": True,
                "sync": ["toy-manage", "sync"],
                "expand": ["toy-manage", "expand"],
                "contract": ["toy-manage", "contract"],
                "backfill": backfill,
            }
        ],
        "releases": [
            {
                "id": name,
                "package": {"first": f"{n}.0", "final": f"{n}.0"},
                "databases": {"main": {"migrate": {"toy": n}}},
            }
            for n, name in enumerate(RELEASES, start=1)
        ],
        "rules": [DIRECT, *rules],
    }
    series = {"series": "toys", "releases": [{"id": name, "codename": name} for name in RELEASES]}
    build = BuildSpec(form="environment", path="/srv/toy/{release}", link="/srv/toy/current")
    changes = {
        "component": "toy",
        "series": "toys",
        "release": "c",
        "procedure": procedure,
        "databases": {"main": Database(name="main", url="mysql+pymysql://toy@db/toy")},
        "builds": {"*": build},
        "commands": {"toy-manage": ("{env}/bin/toy-manage",)},
        **changes,
    }
    hosts = tuple(HostPosition(host=n, release="a", drift=("old",), link_path="/srv/toy/a") for n in HOSTS)
    at = DatabasePosition(name="main", releases=("a",))
    position = Position(service="keystone", release="a", databases=(at,), hosts=hosts)
    catalog = build_catalog([series, service])
    scene = Scene(desired=desired(**changes), catalog=catalog, history=History(), now=datetime(2026, 1, 2, tzinfo=UTC))
    found = make_plan("keystone", [position], scene)
    assert found is not None
    assert not found.blocked
    return found


STOP = {"id": "stop", "kind": "collapsed", "pairs": [["a", "c"]], "reason": "No.", "source": "us", "verified": "run"}
SHOWN = {"row_gate", "backfill", "schema_sync", "seal"}


def around(found: Plan) -> list[str]:
    """Name the steps around the schema, in the order of the plan."""
    return [step.id.removeprefix("keystone.") for step in found.steps if step.kind in SHOWN]


def step(found: Plan, name: str) -> Step:
    return next(each for each in found.steps if each.id == f"keystone.{name}")


def test_a_gate_that_only_a_person_opens_is_asked_before_the_pause_and_before_the_migration() -> None:
    found = plan(GATE, backfill=None)
    assert around(found) == [
        "preflight.before.c.typed.1",
        "migrate.gate.c.typed.1",
        "migrate.schema-sync.main.c@ks1",
        "migrate.seal.main",
    ]
    assert step(found, "quiesce.stop@ks1").after[0] == "keystone.preflight.before.c.typed.1"
    assert step(found, "migrate.schema-sync.main.c@ks1").after == ("keystone.migrate.gate.c.typed.1",)


def test_a_gate_that_the_code_at_the_start_opens_is_opened_in_the_leg() -> None:
    found = plan(CURED)
    assert around(found) == [
        "migrate.backfill.a@ks1",
        "migrate.gate.c.typed.1",
        "migrate.schema-sync.main.c@ks1",
        "migrate.seal.main",
        "backfill.backfill.c@ks1",
    ]
    first = step(found, "migrate.backfill.a@ks1")
    assert first.args["argv"] == ["/srv/toy/a/bin/toy-manage", "online"]
    assert [gate.rule for gate in backfill.Model.model_validate(first.args).opens] == ["typed"]
    assert step(found, "backfill.backfill.c@ks1").args["opens"] == []


def test_the_code_of_every_stop_runs_its_backfill_before_the_next() -> None:
    found = plan(CURED | {"to": {"first": "c"}}, STOP)
    assert around(found) == [
        "migrate.schema-sync.main.b@ks1",
        "migrate.backfill.b@ks1",
        "migrate.gate.c.typed.1",
        "migrate.schema-sync.main.c@ks1",
        "migrate.seal.main",
        "backfill.backfill.c@ks1",
    ]
    assert step(found, "migrate.backfill.b@ks1").args["argv"] == ["/srv/toy/b/bin/toy-manage", "online"]


def test_what_stopped_services_cannot_answer_is_forgiven_at_stops_alone() -> None:
    found = plan(CURED, STOP, backfill=BACKFILL | {"stopped": [2]})
    ended = {each.id.removeprefix("keystone."): each.args["ended"] for each in found.steps if each.kind == "backfill"}
    assert ended == {
        "migrate.backfill.a@ks1": [0],
        "migrate.backfill.b@ks1": [0, 2],
        "backfill.backfill.c@ks1": [0],
    }


def test_gates_of_a_later_hop_are_no_question_before_the_first() -> None:
    found = plan(GATE | {"to": {"first": "c"}}, STOP)
    assert [name for name in around(found) if "typed" in name] == ["migrate.gate.c.typed.1"]


@pytest.mark.parametrize("able", [{"last": "a"}, {"first": "b"}])
def test_a_stop_opens_only_what_its_code_can(able: dict[str, str]) -> None:
    found = plan(CURED | {"cured_by": able, "to": {"first": "c"}}, STOP)
    opened = step(found, "migrate.backfill.b@ks1").args["opens"]
    assert bool(opened) is (able == {"first": "b"})


def test_another_command_than_the_backfill_opens_nothing() -> None:
    found = plan(CURED | {"cure": ["toy-manage", "cells"]})
    assert around(found)[0] == "preflight.before.c.typed.1"
    assert "migrate.backfill.a@ks1" not in around(found)


def test_when_rolling_the_backfill_comes_after_the_last_wave_and_before_the_contract() -> None:
    order = [each.id.removeprefix("keystone.") for each in plan(CURED, procedure="zero-downtime").steps]
    assert (
        order.index("roll.start@ks3")
        < order.index("backfill.backfill.c@ks1")
        < order.index("contract.schema-contract.main.c@ks1")
    )
    assert order.index("migrate.gate.c.typed.1") < order.index("migrate.schema-expand.main.c@ks1")
    assert sum("gate" in name for name in order) == 1


def test_what_stops_services_is_asked_for_the_end_of_the_leg_and_only_advises() -> None:
    found = plan(GATE | {"stops": "start", "to": {"first": "c"}}, STOP, backfill=None)
    asked = [each for each in found.steps if each.kind == "row_gate"]
    assert [each.id for each in asked] == ["keystone.preflight.before.c.typed.1"]
    assert asked[0].advisory


def test_a_database_that_is_not_declared_is_not_asked() -> None:
    two = [GATE["rows"][0] | {"databases": ["main"]}]
    found = plan(GATE | {"rows": two}, databases={"main": Database(name="main", url="mysql+pymysql://t@db/t")})
    assert sum(each.kind == "row_gate" for each in found.steps) == 2


def test_the_steps_are_valid_arguments_of_their_kinds() -> None:
    for each in plan(CURED, STOP).steps:
        kinds()[each.kind].Model.model_validate(each.args)


def test_without_a_gate_nothing_is_asked() -> None:
    assert around(plan(backfill=None)) == ["migrate.schema-sync.main.c@ks1", "migrate.seal.main"]


def test_a_release_whose_build_is_unknown_runs_no_backfill() -> None:
    known = BuildSpec(form="environment", path="/srv/toy/{release}", link="/srv/toy/current")
    found = plan(CURED, builds={"c": known})
    assert replace(found, id="").services[0].route == ("a", "c")
    assert around(found)[:2] == ["preflight.before.c.typed.1", "migrate.gate.c.typed.1"]
