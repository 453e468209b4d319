"""Defects that the machine of test_machine.py found, each shrunk to a plain case."""

from __future__ import annotations

from dataclasses import replace

from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import Decision, State
from tests.scenarios.laws import Case, breaches
from tests.scenarios.stage import BROKEN_CONFIG, Stage, fleet_of, second
from tests.support.sample import KEYSTONE

APART: dict[str, tuple[str, ...]] = {}
TOGETHER = {"control": ("keystone", "identity")}


def two() -> Stage:
    return Stage(services={"keystone": KEYSTONE, "identity": second()})


def want(stage: Stage, groups: dict[str, tuple[str, ...]], **changes: object) -> None:
    """Commit both services with the same changes."""
    services = [replace(service, **changes) for service in (KEYSTONE, second())]
    stage.commit(fleet_of(services, groups))


async def passes(stage: Stage, count: int) -> dict[str, Decision]:
    for _ in range(count):
        await stage.step()
    return {decision.verdict.group: decision for decision in (await stage.pass_once()).decisions}


async def until_done(stage: Stage, *steps: str) -> None:
    """Pass until these steps were carried out."""
    for _ in range(200):
        await stage.step()
        if set(steps) <= set(stage.fleet.ledger):
            return
    raise AssertionError(stage.fleet.ledger)


def lawful(stage: Stage) -> bool:
    return breaches(Case(stage.store_entries(), stage.fleet.deeds, stage.wanted)) == []


async def test_two_groups_on_the_same_hosts_take_turns():
    stage = two()
    want(stage, APART)
    await passes(stage, 3)
    want(stage, APART, release="2026.1")
    decisions = await passes(stage, 3)

    assert decisions["identity"].verdict.state is State.PROGRESSING
    assert decisions["keystone"].verdict.reason == Reason.CLAIMED

    await passes(stage, 60)
    assert {site.data.release for site in stage.fleet.sites.values()} == {"2026.1"}
    assert lawful(stage)


async def test_a_service_that_leaves_its_group_in_mid_leg_is_not_begun_anew():
    stage = two()
    want(stage, APART)
    await passes(stage, 3)
    want(stage, APART, release="2026.1")
    await until_done(stage, "identity.migrate.schema-sync.main.2023.1@ks1")
    want(stage, TOGETHER, release="2026.1")
    decisions = await passes(stage, 10)

    assert decisions["identity"].verdict.reason == Reason.OPEN_LEG
    assert decisions["control"].verdict.reason == Reason.CLAIMED

    want(stage, APART, release="2026.1")
    await passes(stage, 60)
    assert {site.data.release for site in stage.fleet.sites.values()} == {"2026.1"}
    assert lawful(stage)


async def test_what_is_undone_does_not_overtake_what_still_runs():
    stage = Stage()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    stage.fleet.failing = {"keystone.quiesce.stop@ks1"}
    stage.fleet.hosts.faults.held = {"keystone.quiesce.stop@ks2"}
    stage.want(release="2026.1")
    await passes(stage, 10)
    assert [halt.reason for halt in stage.memory.history.halts] == [Reason.STEP_FAILED]
    await stage.kill()
    stage.start()
    await passes(stage, 10)
    stage.fleet.hosts.release("keystone.quiesce.stop@ks2")
    await stage.until(State.HALTED)

    assert stage.running() == {"ks1": "yoga", "ks2": "yoga", "ks3": "yoga"}


async def test_a_leg_taken_over_starts_again_what_the_newer_plan_stopped_on_the_same_hosts():
    stage = two()
    want(stage, TOGETHER)
    await passes(stage, 3)
    stage.commit(fleet_of([replace(KEYSTONE, release="2026.1"), second()], TOGETHER))
    await until_done(stage, "keystone.migrate.schema-sync.main.2023.1@ks1")
    want(stage, TOGETHER, release="2026.1", config=BROKEN_CONFIG)
    verdict = await stage.until(State.HALTED)

    assert verdict.reason == Reason.CANARY_FAILED
    for name, site in stage.fleet.sites.items():
        assert {machine.running for machine in site.machines.values()} == {f"/srv/{name}/yoga"}
    assert lawful(stage)


async def test_a_contract_waits_for_a_host_that_an_override_holds_back():
    rolling = {"procedure": "zero-downtime", "policy": "supported"}
    stage = Stage()
    stage.want(release="yoga", **rolling)
    await stage.until(State.IN_SYNC)
    stage.want(release="2023.1", overrides={"ks3": "yoga"}, **rolling)
    blocked = await stage.until(State.BLOCKED)

    assert blocked.reason == Reason.OVERRIDE_IN_THE_WAY
    assert stage.running() == {"ks1": "2023.1", "ks2": "2023.1", "ks3": "yoga"}
    assert (stage.fleet.data.release, stage.fleet.data.expanded) == ("yoga", "2023.1")

    stage.want(release="2023.1", **rolling)
    await stage.until(State.IN_SYNC)
    assert stage.running() == {"ks1": "2023.1", "ks2": "2023.1", "ks3": "2023.1"}
    assert (stage.fleet.data.release, stage.fleet.data.expanded) == ("2023.1", "")
    assert lawful(stage)


async def test_a_leg_that_waited_to_be_taken_over_is_not_forgotten_when_its_service_leaves():
    stage = two()
    want(stage, APART)
    await passes(stage, 3)
    want(stage, APART, release="2026.1")
    await until_done(stage, "identity.migrate.schema-sync.main.2023.1@ks1")
    stage.journal.ask("suspend", "", "ada", "to think")
    want(stage, APART, release="2025.1")
    await passes(stage, 10)
    assert [run.ended for run in stage.memory.history.runs][:1] == ["superseded"]
    stage.commit(fleet_of([replace(KEYSTONE, release="2025.1")], APART))
    stage.journal.ask("resume", "", "ada", "thought")
    decisions = await passes(stage, 10)

    assert decisions["identity"].verdict.reason == Reason.OPEN_LEG
    assert decisions["keystone"].verdict.reason == Reason.CLAIMED


async def test_a_host_that_is_past_its_override_is_not_restarted_for_ever():
    stage = Stage()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    stage.want(release="2023.1")
    await stage.until(State.IN_SYNC)
    stage.want(release="2023.1", overrides={"ks3": "yoga"})
    blocked = await stage.until(State.BLOCKED)

    assert blocked.reason == Reason.OVERRIDE_IN_THE_WAY
    assert "ks3 runs 2023.1" in blocked.text


async def test_a_refresh_keeps_a_host_at_the_release_of_its_override():
    rolling = {"procedure": "zero-downtime", "policy": "supported", "overrides": {"ks1": "yoga"}}
    stage = Stage()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    stage.fleet.data.release = "2023.1"  # by hand, and all hosts but the one held back
    for name in ("ks2", "ks3"):
        machine = stage.fleet.machines[name]
        machine.running = machine.link = "/srv/keystone/2023.1"
    stage.fleet.machines["ks1"].stamp = "bad0"
    stage.want(release="2023.1", **rolling)
    await stage.until(State.IN_SYNC)

    assert stage.running() == {"ks1": "yoga", "ks2": "2023.1", "ks3": "2023.1"}
    assert stage.fleet.machines["ks1"].stamp != "bad0"


async def test_a_hop_whose_schema_is_expanded_is_not_replaced_by_a_shorter_one():
    stage = Stage()
    stage.want(release="2026.2", procedure="zero-downtime", policy="offline")
    await until_done(stage, "keystone.migrate.schema-expand.main.2026.2@ks1")
    stage.want(release="2026.2", procedure="zero-downtime", policy="supported")
    decisions = await passes(stage, 60)

    assert decisions["keystone"].verdict.reason == Reason.DATABASE_BETWEEN
    assert "half-way to 2026.1 or 2026.2" in decisions["keystone"].verdict.text
    assert lawful(stage)

    stage.want(release="2026.2", procedure="zero-downtime", policy="offline", vars={"region": "RegionTwo"})
    await passes(stage, 90)
    assert (stage.fleet.data.release, lawful(stage)) == ("2026.2", True)


async def test_a_start_that_only_one_look_has_seen_is_looked_at_again_before_anything_is_stopped():
    stage = Stage()
    stage.want()
    await passes(stage, 3)
    stage.fleet.untrue = ["2023.1"]
    stage.want(release="2025.1")
    verdict = await stage.until(State.IN_SYNC)

    assert (verdict.group, stage.fleet.data.release) == ("keystone", "2025.1")
    assert [run.plan.services[0].start for run in stage.memory.history.runs] == ["zed", "yoga"]
    assert lawful(stage)
