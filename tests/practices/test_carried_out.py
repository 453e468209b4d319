"""The published upgrades, carried out from end to end by the real engine, and taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.domain.schema import SchemaMarker
from reconciler.domain.verdict import State
from tests.practices.record import PRACTICES
from tests.practices.stage import Stage


@pytest.mark.parametrize("name", PRACTICES)
async def test_it_arrives(name: str) -> None:
    stage = Stage(name)
    stage.stay()
    begun = await stage.rest()
    assert {group: each.state for group, each in begun.items()} == dict.fromkeys(begun, State.IN_SYNC)
    assert stage.cloud.ledger == []

    stage.go()
    ended = await stage.rest()
    if any(each.reason == "DependencyOfOthers" for each in ended.values()):
        for service in stage.goal.services.values():
            if service.moved_by == "others":
                await stage.others_move(service.name)
        ended = await stage.rest()
    assert {group: each for group, each in ended.items() if each.state is not State.IN_SYNC} == {}


async def test_p1_is_taken_back_when_the_first_new_controller_does_not_serve() -> None:
    stage = Stage("p1")
    stage.stay()
    await stage.rest()
    before = {url: data.marker for url, data in stage.cloud.databases.items()}
    stage.cloud.bad.add(stage.goal.hosts["pike1"].address)

    stage.go()
    ended = await stage.rest()
    assert ended["cloud"].state is State.HALTED
    assert ended["cloud"].reason == "CanaryFailed"
    assert {url: data.marker for url, data in stage.cloud.databases.items()} == before
    old = [stage.cloud.machines[name].units for name in ("kilo1", "kilo2", "kilo3")]
    assert {unit.state for units in old for unit in units.values()} == {"active"}
    assert not any("@cmp" in step and ".roll." in step for step in stage.cloud.ledger)


async def test_p2_restores_no_database_when_one_of_its_dumps_is_damaged() -> None:
    stage = Stage("p2")
    stage.stay()
    await stage.rest()
    moved = {url: data.writes for url, data in stage.cloud.databases.items()}
    stage.cloud.damaged = {("nova", "api")}
    stage.cloud.failing.add("keystone.roll.watch.guest.check.2@controller-0")

    stage.go()
    ended = await stage.rest()
    assert ended["overcloud"].state is State.HALTED
    why = [(halt.reason, halt.text) for halt in stage.memory.history.halts]
    assert [reason for reason, _ in why] == ["StepFailed", "BackupUnreadable"]
    assert "the dump of nova.api is damaged" in why[-1][1]
    assert not any("schema-sync" in step for step in stage.cloud.ledger if step.startswith("back."))
    assert all(data.writes > moved[url] for url, data in stage.cloud.databases.items() if "nova" in url)

    stage.cloud.damaged.clear()
    stage.retry("overcloud")
    await stage.rest()
    assert {url: data.writes for url, data in stage.cloud.databases.items()} == moved


async def test_p1_is_reverted_after_it_arrived() -> None:
    stage = Stage("p1")
    stage.stay()
    await stage.rest()
    before = {url: data.marker for url, data in stage.cloud.databases.items()}
    stage.go()
    await stage.rest()

    stage.stay()
    ended = await stage.rest()
    assert ended["cloud"].state is State.IN_SYNC, ended["cloud"]
    assert {url: data.marker for url, data in stage.cloud.databases.items()} == before
    assert any("nova-compute.roll.owner" in step and step.startswith("back.") for step in stage.cloud.ledger)


async def test_p3_the_node_that_was_held_back_leads_again_when_first_is_broken() -> None:
    stage = Stage("p3")
    stage.stay()
    await stage.rest()
    before = {url: data.marker for url, data in stage.cloud.databases.items()}
    stage.cloud.bad.add(stage.goal.hosts["north1"].address)

    stage.go()
    ended = await stage.rest()
    assert ended["keystone-north"].state is State.HALTED
    halts = [halt.reason for halt in stage.memory.history.halts]
    assert halts == ["CanaryFailed", "BackOutFailed"]  # that address answers nobody afterwards either
    url = stage.goal.services["keystone-north"].databases["main"].url
    assert stage.cloud.databases[url].marker == before[url]
    nodes = [step for step in stage.cloud.ledger if step.startswith("back.keystone-north.backup.")]
    assert sorted(nodes[:2]) == [f"back.keystone-north.backup.yield@{name}" for name in ("north1", "north2")]
    assert nodes[2:] == [
        "back.keystone-north.backup.hold@north3",
        "back.keystone-north.backup.follow@north2",
        "back.keystone-north.backup.follow@north1",
    ]
    kept = [step for step in stage.cloud.backups if step[1] == "keystone-north"]
    assert {database for _, _, database in kept} == {"main", "main.present"}


async def test_p3_a_node_that_holds_nothing_new_only_joins_again() -> None:
    stage = Stage("p3")
    stage.stay()
    await stage.rest()
    stage.cloud.failing.add("keystone-north.migrate.tools.wallaby@north1")
    stage.cloud.failing.add("keystone-north.migrate.install.wallaby@north1")

    stage.go()
    ended = await stage.rest()
    assert ended["keystone-north"].state is State.HALTED
    nodes = [step for step in stage.cloud.ledger if step.startswith("back.keystone-north.backup.")]
    assert nodes == ["back.keystone-north.backup.hold@north3"]


OPENSTACK = ("keystone", "glance", "nova", "neutron", "cinder", "ironic")


def schemas(stage: Stage) -> dict[str, SchemaMarker]:
    return {url: data.marker for url, data in stage.cloud.databases.items()}


def meant(stage: Stage) -> set[str]:
    """Return the addresses that the names of endpoints mean."""
    return {address for addresses in stage.dns.records.values() for address in addresses}


async def test_p5_waits_at_liberty_until_others_have_moved_the_fabric() -> None:
    stage = Stage("p5")
    stage.stay()
    await stage.rest()
    assert meant(stage) == {"10.5.0.11"}
    stage.go()
    waiting = await stage.rest()
    assert (waiting["cloud"].state, waiting["cloud"].reason) == (State.BLOCKED, "DependencyOfOthers")
    assert "fabric 4.2 to 5.0 comes before neutron liberty to mitaka" in waiting["cloud"].text
    assert meant(stage) == {"10.5.0.12"}
    assert not any(step.endswith("@new2") for step in stage.cloud.ledger)

    await stage.others_move("fabric")
    ended = await stage.rest()
    assert ended["cloud"].state is State.IN_SYNC, ended["cloud"]
    assert meant(stage) == {"10.5.0.13"}
    assert "nova.migrate.schema-sync.api.mitaka@new2" in stage.cloud.ledger


async def test_p5_a_revert_goes_back_leg_by_leg_to_where_each_began() -> None:
    stage = Stage("p5")
    stage.stay()
    await stage.rest()
    kilo = schemas(stage)
    stage.go()
    await stage.rest()
    liberty = schemas(stage)
    await stage.others_move("fabric")
    await stage.rest()
    liberty_release = dict.fromkeys((*OPENSTACK, "nova-compute", "neutron-agents"), "liberty")

    stage.go(**liberty_release, openvswitch="2.4")
    ended = await stage.rest()
    assert ended["cloud"].state is State.IN_SYNC, ended["cloud"]
    assert meant(stage) == {"10.5.0.12"}
    assert schemas(stage) == liberty

    stage.stay()
    ended = await stage.rest()
    assert ended["cloud"].state is State.IN_SYNC, ended["cloud"]
    assert meant(stage) == {"10.5.0.11"}
    assert schemas(stage) == kilo


async def test_p5_goes_back_over_both_legs_when_a_commit_names_the_first_deployment() -> None:
    stage = Stage("p5")
    stage.stay()
    await stage.rest()
    kilo = schemas(stage)
    stage.go()
    await stage.rest()
    await stage.others_move("fabric")
    await stage.rest()

    stage.stay()
    ended = await stage.rest()
    assert ended["cloud"].state is State.IN_SYNC, ended["cloud"]
    assert meant(stage) == {"10.5.0.11"}
    assert schemas(stage) == kilo


async def test_p5_leaves_the_name_with_the_old_node_when_the_new_one_does_not_serve() -> None:
    stage = Stage("p5")
    stage.stay()
    await stage.rest()
    stage.cloud.failing.add("glance.roll.image-list@new1")
    stage.go()
    ended = await stage.rest()
    assert ended["cloud"].state is State.HALTED
    named = {name: address for (name, _), (address,) in stage.dns.records.items()}
    assert named["glance.cloud.example.net."] == "10.5.0.11"
    assert named["nova.cloud.example.net."] == "10.5.0.11"


async def test_p4_halts_at_the_host_whose_placement_groups_do_not_come_back() -> None:
    stage = Stage("p4")
    stage.stay()
    await stage.rest()
    stage.cloud.failing.add("ceph-osd.roll.clean-after@osd2")
    stage.go()
    ended = await stage.rest()
    assert ended["storage"].state is State.HALTED
    assert not [step for step in stage.cloud.ledger if "@osd3" in step and ".roll." in step]
    assert not [step for step in stage.cloud.ledger if step.startswith("ceph-client.roll.")]


async def test_p2_is_taken_back_when_the_guest_on_the_canary_compute_node_is_lost() -> None:
    stage = Stage("p2")
    stage.stay()
    await stage.rest()
    packages = {name: dict(machine.packages) for name, machine in stage.cloud.machines.items()}
    markers = {url: data.marker for url, data in stage.cloud.databases.items()}
    stage.cloud.failing.add("keystone.roll.watch.guest.check.2@controller-0")

    stage.go()
    ended = await stage.rest()
    assert ended["overcloud"].state is State.HALTED, ended["overcloud"]
    assert {url: data.marker for url, data in stage.cloud.databases.items()} == markers
    for name, machine in stage.cloud.machines.items():
        assert {each: had.version for each, had in machine.packages.items()} == {
            each: had.version for each, had in packages[name].items()
        }
        assert {unit.state for unit in machine.units.values()} == {"active"}
    rolled = {step.rpartition("@")[2] for step in stage.cloud.ledger if ".roll.start." in step}
    assert rolled == {"controller-0", "compute-0"}
    assert "back.keystone.quiesce.cluster-disabled@controller-0" in stage.cloud.ledger
    assert "back.nova.prepare.canary-guest@controller-0" in stage.cloud.ledger


async def overtaken(word: str) -> Stage:
    """Let a commit take P2 over when a step was carried out whose id holds a word, and all come to rest."""
    stage = Stage("p2")
    stage.stay()
    await stage.rest()
    stage.go()
    await stage.until_done(word)
    keystone = stage.goal.services["keystone"]
    stage.commit(replace(keystone, vars={**keystone.vars, "contact": "ada"}))
    ended = await stage.rest()
    assert ended["overcloud"].state is State.IN_SYNC
    return stage


async def test_p2_ends_what_it_began_when_a_commit_comes_in_the_middle_of_its_roll() -> None:
    stage = await overtaken(".roll.start.nova-api@controller-1")
    runs = stage.memory.history.runs
    assert [(run.ended, run.plan.inherits) for run in runs] == [("superseded", ""), ("done", runs[0].id)]
    for each in ("keystone.roll.cluster-back", "nova.backfill.backfill.queens", "nova.finish.canary-guest"):
        assert f"{each}@controller-0" in stage.cloud.ledger
    assert "keystone.backfill.watch.guest.stop@controller-0" in stage.cloud.ledger


async def test_p2_moves_rows_with_the_code_of_a_stop_at_which_a_commit_took_its_walk_over() -> None:
    stage = await overtaken("nova.migrate.schema-sync.cell0-main.ocata")
    first, second = stage.memory.history.runs
    assert (first.ended, second.plan.inherits) == ("superseded", first.id)
    nova = [route for route in second.plan.services if route.service == "nova"]
    assert [route.route for route in nova] == [("ocata", "pike", "queens")]
    moved = [step for step in stage.cloud.ledger if step.startswith(("nova.migrate.backfill", "nova.backfill"))]
    assert [step.partition("@")[0].rpartition(".")[2] for step in moved] == ["newton", "ocata", "pike", "queens"]
    watches = [step for step in stage.cloud.ledger if "watch.guest.st" in step]
    assert len([step for step in watches if ".start@" in step]) == 2
    assert [step for step in watches if ".stop" in step] == [
        "keystone.backfill.watch.guest.stop@controller-0",
        f"keystone.backfill.watch.guest.stop.of-{first.id}@controller-0",
    ]
