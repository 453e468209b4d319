"""A defect that shows in one group, by a desired state that the reader would never let through."""

from __future__ import annotations

from dataclasses import replace

from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from tests.scenarios.stage import PASSES, Stage, second
from tests.support.sample import DESIRED, KEYSTONE


async def test_the_other_groups_arrive():
    broken = replace(second(), procedure="forgotten", release="2026.1")
    stage = Stage(services={"keystone": KEYSTONE, "identity": second()})
    stage.defective = True
    services = {"keystone": replace(KEYSTONE, release="2026.1"), "identity": broken}
    stage.commit(replace(DESIRED, services=services))
    verdicts = {}
    for _ in range(PASSES):
        report = await stage.pass_once()
        verdicts = {each.verdict.group: each.verdict for each in report.decisions}
        if stage.running()["ks3"] == "2026.1" and verdicts["keystone"].state is State.IN_SYNC:
            break
        await stage.step()
    assert verdicts["keystone"].state is State.IN_SYNC
    assert (verdicts["identity"].state, verdicts["identity"].reason) == (State.BLOCKED, Reason.DEFECT)
    assert "KeyError: 'forgotten'" in verdicts["identity"].text
    assert stage.fleet.sites["identity"].data.release == "yoga"
