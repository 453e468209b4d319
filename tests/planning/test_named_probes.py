"""Actions and watches that take a probe by its name, whatever its kind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.domain.desired import BuildSpec, ContainerSpec
from reconciler.domain.plan import Plan, Step
from reconciler.domain.probe import (
    CommandProbe,
    ContainerProbe,
    HttpProbe,
    MetricProbe,
    Probe,
    RowsProbe,
    TcpProbe,
    UnitProbe,
)
from reconciler.domain.run import History
from reconciler.planning.plan import make_plan
from reconciler.planning.scene import Scene
from tests.planning.test_plan import AT, CATALOG, position
from tests.support.procedures import written
from tests.support.sample import desired

PROBES: dict[str, Probe] = {
    "api": HttpProbe(name="api", url="http://{address}/"),
    "port": TcpProbe(name="port", host="{address}", port=5000),
    "errors": MetricProbe(name="errors", promql='e{host="{host}"}', good="none", present="e"),
    "rows": RowsProbe(name="rows", database="main", sql="SELECT id FROM user", good="some"),
    "quorum": CommandProbe(name="quorum", argv=("rabbitmqctl", "cluster_status")),
    "unit": UnitProbe(name="unit", unit="keystone"),
}
PROCEDURE = """
mine:
  text: Asks a probe in every way.
  leg: route
  phases:
    - {phase: prepare, on: fleet, steps: [prepare_build]}
    - phase: roll
      on: wave
      steps: [install_build, {action: wait_until, probe: NAME, good: 3, interval_s: 5, deadline_s: 900}]
    - {phase: cutover, on: person, steps: [{action: manual, text: Switch it, probe: NAME, back_text: Back, back_probe: NAME}]}
  watches:
    - {name: eye, probe: NAME, from: roll, to: cutover}
"""


def planned(name: str) -> Plan:
    procedures = written(PROCEDURE.replace("NAME", name))
    wanted = replace(desired(procedure="mine", release="2026.1"), procedures=procedures, probes=PROBES)
    found = make_plan("keystone", [position()], Scene(desired=wanted, catalog=CATALOG, history=History(), now=AT))
    assert found is not None
    return found


def step(found: Plan, part: str) -> Step:
    return next(each for each in found.steps if part in each.id)


@pytest.mark.parametrize("name", PROBES)
def test_a_wait_a_person_and_a_watch_take_a_probe_of_any_kind(name: str):
    found = planned(name)
    assert found.blocked == ()
    kind = "http_probe" if name == "api" else "probe"
    wait, work = step(found, ".wait_until@ks2"), step(found, ".manual")
    start, checks = step(found, "watch.eye.start"), [each for each in found.steps if "watch.eye.check" in each.id]

    assert wait.kind == start.kind == kind
    asked = wait.args["probe"]
    assert isinstance(asked, dict)
    assert (asked["count"], asked["interval_s"], asked["warmup_s"]) == (3, 5, 900)
    assert wait.timeout_s >= 900
    assert isinstance(work.args["probe"], dict)
    assert work.args["probe"]["name"] == name
    assert work.undo is not None
    assert work.undo.args["probe"] == work.args["probe"]
    assert [each.kind for each in checks] == [kind, kind]
    assert [_steady(each) for each in (start, *checks)] == [False, True, True]
    assert all(each.args["canary"] for each in (start, *checks))


def test_they_ask_where_they_stand():
    assert step(planned("unit"), ".wait_until@ks2").args["host"] == "ks2"
    assert step(planned("unit"), ".manual").args["host"] == "ks1"  # a person is nowhere
    assert step(planned("errors"), ".wait_until@ks3").args["probe"]["promql"] == 'e{host="ks3"}'


def test_one_by_sql_knows_its_database():
    found = planned("rows")
    (database,) = found_databases(step(found, ".manual"))
    assert database == step(found, ".wait_until@ks2").args["database"]


def found_databases(work: Step) -> list[object]:
    databases = work.args["databases"]
    assert isinstance(databases, dict)
    return [*databases.values()]


def _steady(each: Step) -> bool:
    probe = each.args["probe"]
    assert isinstance(probe, dict)
    return bool(probe["steady"])


def test_a_container_is_verified_to_run_the_image_of_the_build_that_was_moved_to():
    image = "registry.example/keystone:{release}"
    build = BuildSpec(form="container", containers=(ContainerSpec(name="keystone", image=image),))
    probe = ContainerProbe(name="box", container="keystone")
    changes = {"release": "2026.1", "builds": {"*": build}, "units": (), "verify": (probe,), "smoke": (probe,)}
    found = make_plan(
        "keystone", [position()], Scene(desired=desired(**changes), catalog=CATALOG, history=History(), now=AT)
    )
    assert found is not None
    asked = [each.args["probe"] for each in found.steps if each.kind == "probe"]
    assert len(asked) == 4  # each host, and once at the end
    assert {each["image"] for each in asked if isinstance(each, dict)} == {image.replace("{release}", "2026.1")}
