"""What is proved before the first database is put back, from literals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.domain.plan import Json, Step
from reconciler.domain.procedure import Phase
from reconciler.planning.proved_first import proved_first
from tests.planning.test_plan import ancestors

PLACE: dict[str, Json] = {"dir": "/b", "path": "/d"}
DUMP: dict[str, Json] = {"engine": "sqlite", **PLACE, "run": "r1"}


def step(name: str, kind: str, *after: str, **args: Json) -> Step:
    return Step(id=name, kind=kind, phase=Phase.BACK_OUT, service=name[0], title=name, host="h", args=args, after=after)


def restore(name: str, *after: str) -> Step:
    return step(name, "restore", *after, service=name[0], database="main", keep_present=True, **DUMP)


def found(steps: Sequence[Step], *, stands: bool) -> dict[str, Step]:
    return {each.id: each for each in proved_first(steps, stands=stands)}


SIDE_BY_SIDE = (
    step("a.stop", "units"),
    step("a.same", "unchanged", "a.stop"),
    restore("a.put", "a.same"),
    restore("b.put", "a.stop"),
    step("c.stop", "units"),
    step("c.same", "unchanged", "c.stop"),
    restore("c.put", "c.same"),
)
ONE_BY_ONE = (
    step("b.stop", "units"),
    restore("b.put", "b.stop"),
    step("b.start", "units", "b.put"),
    step("a.stop", "units", "b.start"),
    step("a.same", "unchanged", "a.stop"),
    restore("a.put", "a.same"),
)


def test_every_dump_is_read_and_every_seal_compared_before_any_database_is_put_back():
    steps = found(SIDE_BY_SIDE, stands=False)

    asked = {f"preflight.{kind}.{name}.put" for name in "abc" for kind in ("read_back", "space")}
    proofs = asked | {"a.same", "c.same"}
    assert {name for name, each in steps.items() if each.kind in {"read_back", "space", "unchanged"}} == proofs
    for name in "abc":
        assert proofs <= ancestors(steps[f"{name}.put"], steps)


def test_a_dump_is_read_where_it_lies_and_nothing_else_is_asked_of_it():
    reading = found(SIDE_BY_SIDE, stands=False)["preflight.read_back.b.put"]

    assert (reading.kind, reading.host, reading.after, reading.phase) == ("read_back", "h", (), Phase.PREFLIGHT)
    assert reading.args == {"service": "b", "database": "main", **DUMP}


def test_what_keeps_nothing_of_the_present_needs_no_room():
    kept = replace(restore("b.put"), args={**restore("b.put").args, "keep_present": False})
    assert [each.kind for each in proved_first((kept,), stands=False)] == ["read_back", "restore"]


def test_a_load_that_is_taken_back_asks_for_room_and_has_no_dump_to_read():
    load = replace(restore("b.put"), kind="load")
    room, _ = proved_first((load,), stands=False)
    assert (room.kind, room.args) == ("space", {"service": "b", "database": "main", "engine": "sqlite", **PLACE})


def test_what_is_open_is_stopped_while_dumps_are_read():
    assert found(SIDE_BY_SIDE, stands=False)["a.stop"].after == ()


def test_what_stands_is_asked_before_anything_is_stopped():
    steps = found(SIDE_BY_SIDE, stands=True)

    asked = {f"preflight.{kind}.{name}.put" for name in "abc" for kind in ("read_back", "space")}
    asked |= {"preflight.a.same", "preflight.c.same"}
    assert all(asked <= ancestors(steps[name], steps) for name in ("a.stop", "c.stop"))


def test_a_crowd_of_hosts_waits_for_one_step_that_waits_for_all_questions():
    hosts = [step(f"a.stop{n}", "units") for n in range(51)]
    steps = found([*hosts, *SIDE_BY_SIDE], stands=True)

    assert {steps[each.id].after for each in hosts} == {("preflight.barrier",)}
    gate = steps["preflight.barrier"]
    assert (gate.kind, gate.host, gate.args) == ("barrier", "", {"waits_for": len(gate.after)})
    assert len(gate.after) == 8
    assert set(gate.after) <= ancestors(steps["b.put"], steps)


def test_a_service_that_serves_until_another_was_put_back_is_asked_before_that_too():
    steps = found(ONE_BY_ONE, stands=False)

    assert "preflight.a.same" in steps["b.put"].after
    assert "a.same" in steps["a.put"].after
    assert "a.same" not in ancestors(steps["b.put"], steps)


def test_a_node_that_leads_again_waits_for_the_proofs_of_all():
    steps = found(
        (step("a.lead", "galera", action="bootstrap"), step("b.same", "unchanged"), step("b.join", "galera", "a.lead")),
        stands=False,
    )

    assert steps["a.lead"].after == ("b.same",)
    assert steps["b.join"].after == ("a.lead",)


def test_each_step_stands_after_those_it_waits_for():
    for steps in (SIDE_BY_SIDE, ONE_BY_ONE):
        seen: set[str] = set()
        for each in proved_first(steps, stands=False):
            assert set(each.after) <= seen
            seen.add(each.id)


def test_what_puts_nothing_back_stays_as_it_is():
    steps = (step("a.stop", "units"), step("a.start", "units", "a.stop"))
    assert proved_first(steps, stands=True) == steps
