"""A leg and the people who must say yes to it, by the real pass on a fleet in memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.domain.approval import Approval, ApprovalPolicy
from reconciler.domain.desired import Desired
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from tests.scenarios.stage import Stage, second
from tests.support.sample import DESIRED, KEYSTONE, desired


def asking(leg: int = 0, waves: int = 0, approved: tuple[Approval, ...] = (), release: str = "2026.1") -> Desired:
    policy = {"keystone": ApprovalPolicy(leg=leg, waves=waves)}
    return replace(desired(release=release), approvals=policy, approved=approved)


async def waiting(wanted: Desired) -> tuple[Stage, str]:
    """Bring a leg to where it waits for approval; return the stage and the plan's id."""
    stage = Stage()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    stage.commit(wanted)
    await stage.until(State.WAITING, reason=Reason.APPROVAL_MISSING)
    run = stage.memory.history.open_run("keystone")
    assert run is not None
    return stage, run.plan.id


async def test_a_leg_prepares_and_waits_for_its_approvals_by_command():
    stage, plan = await waiting(asking(leg=2))
    assert {step.split(".")[1] for step in stage.fleet.ledger} == {"preflight", "prepare"}

    stage.journal.ask("approve", plan, "ada", "read it")
    stage.journal.ask("approve", "keystone", "ada", "once more")
    await stage.step()
    await stage.until(State.WAITING, reason=Reason.APPROVAL_MISSING)

    stage.journal.ask("approve", "keystone", "bo", "read it too")
    await stage.until(State.IN_SYNC)
    assert {each.by for each in stage.memory.history.approvals} == {"ada", "bo"}


async def test_a_yes_in_git_changes_no_plan():
    stage, plan = await waiting(asking(leg=1))
    stage.commit(asking(leg=1, approved=(Approval(plan=plan, by="ada", why="read it"),)))
    await stage.until(State.IN_SYNC)
    assert [run.plan.id for run in stage.memory.history.runs] == [plan]


async def test_each_wave_waits_for_its_own_yes():
    stage, plan = await waiting(asking(waves=1))
    assert stage.running() == {"ks1": "2026.1", "ks2": "", "ks3": ""}
    stage.journal.ask("approve", f"{plan}/1", "ada", "the canary is well")
    await stage.step()
    await stage.until(State.WAITING, reason=Reason.APPROVAL_MISSING)
    assert stage.running() == {"ks1": "2026.1", "ks2": "2026.1", "ks3": ""}
    stage.journal.ask("approve", "keystone/2", "ada", "so is the second")
    await stage.until(State.IN_SYNC)


async def test_a_yes_to_what_is_not_there_is_refused():
    stage, plan = await waiting(asking(leg=1))
    for subject, why in (("glance", "no plan 'glance' waits"), (f"{plan}/9", "has no wave 9")):
        asked = stage.journal.ask("approve", subject, "ada", "x")
        await stage.step()
        assert why in (stage.journal.answer_to(asked) or "")
    assert stage.memory.history.approvals == ()


async def test_a_yes_by_command_is_to_one_run_alone():
    stage, plan = await waiting(asking(leg=1))
    stage.journal.ask("approve", plan, "ada", "read it")
    await stage.until(State.IN_SYNC)
    stage.commit(asking(leg=1, release="yoga"))
    await stage.until(State.IN_SYNC)
    stage.commit(asking(leg=1))
    await stage.until(State.WAITING, reason=Reason.APPROVAL_MISSING)
    assert stage.fleet.data.release == "yoga"
    again = stage.memory.history.open_run("keystone")
    assert again is not None
    assert again.plan.id == plan


async def test_going_back_asks_nobody():
    stage, plan = await waiting(asking(leg=1))
    stage.journal.ask("approve", plan, "ada", "read it")
    await stage.until(State.IN_SYNC)
    stage.commit(asking(leg=1, release="yoga"))
    await stage.until(State.IN_SYNC)
    assert stage.fleet.data.release == "yoga"


@pytest.mark.parametrize("moved", ["ks1", "ks2", "ks3"])
async def test_a_plan_that_took_a_leg_over_waits_for_its_approvals_as_it_is(moved):
    stage = Stage()
    stage.want(release="yoga")
    await stage.until(State.IN_SYNC)
    stage.commit(asking())
    while stage.running()[moved] != "2026.1":
        await stage.step()
    stage.commit(
        replace(asking(leg=1), services={"keystone": replace(KEYSTONE, release="2026.1", vars={"region": "Two"})})
    )
    await stage.until(State.WAITING, reason=Reason.APPROVAL_MISSING)
    begun = len(stage.memory.history.runs)
    for _ in range(200):
        await stage.step()
    assert len(stage.memory.history.runs) == begun

    stage.journal.ask("approve", "keystone", "ada", "read it")
    await stage.until(State.IN_SYNC)
    assert stage.memory.history.runs[-1].plan.inherits == stage.memory.history.runs[-2].id


async def test_a_leg_that_waits_to_be_gone_on_with_keeps_others_from_its_hosts():
    """Its services are stopped in the middle of a walk: another group's leg on the same hosts would begin beside it."""
    services = {"keystone": replace(KEYSTONE, release="2026.1"), "identity": second()}
    stage = Stage(services={"keystone": KEYSTONE, "identity": second()})
    stage.commit(replace(DESIRED, services={"keystone": KEYSTONE, "identity": second()}))
    await stage.until(State.IN_SYNC)
    stage.commit(replace(DESIRED, services=services))
    while "keystone.migrate.schema-sync.main.2023.1@ks1" not in stage.fleet.ledger:
        await stage.step()

    services = {
        "keystone": replace(services["keystone"], vars={"region": "Two"}),
        "identity": replace(second(), release="2026.1"),
    }
    wanted = replace(DESIRED, services=services, approvals={"keystone": ApprovalPolicy(leg=1)})
    stage.commit(wanted)
    for _ in range(100):
        report = await stage.pass_once()
        await stage.step()
    verdicts = {each.verdict.group: each.verdict for each in report.decisions}
    assert verdicts["keystone"].reason == Reason.APPROVAL_MISSING
    assert verdicts["identity"].reason == Reason.CLAIMED
    assert not any(step.startswith("identity.quiesce") for step in stage.fleet.ledger)
