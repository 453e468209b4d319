"""A defect that shows in one group, by a desired state that the reader would never let through."""

from __future__ import annotations

from dataclasses import replace

from reconciler.domain.observation import Known, Unknown
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


async def test_an_answer_that_the_daemon_chokes_on_hides_no_other_host_or_database():
    stage = Stage()
    stage.defective = True
    stage.want(release="yoga")
    looks = stage.fleet.hosts.looks
    stage.fleet.hosts.looks = lambda host, questions: {}[host.name] if host.name == "ks2" else looks(host, questions)
    for _ in range(3):
        await stage.step()
    seen = stage.memory.observations
    assert {name: isinstance(each, Known) for name, each in seen.hosts.items()} == {
        "ks1": True,
        "ks2": False,
        "ks3": True,
    }
    assert isinstance(seen.hosts["ks2"], Unknown)
    assert seen.hosts["ks2"].reason == Reason.DEFECT
    assert all(isinstance(each, Known) for each in seen.databases.values())
    report = await stage.pass_once()
    assert "ks2" in str(report.positions[0].blocks)
