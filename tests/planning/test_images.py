"""A tag that is moved in its registry while hosts pull it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.domain.outcome import Done
from reconciler.domain.plan import Step
from reconciler.domain.procedure import Phase
from reconciler.domain.reasons import Reason
from reconciler.domain.run import Attempt, History, Run
from reconciler.domain.verdict import Decision, Ready, State
from reconciler.planning.decision import ruling
from reconciler.planning.images import same_everywhere
from tests.planning.test_judge import PLAN, rule

AT = datetime(2026, 1, 2, tzinfo=UTC)
IMAGE = "registry/keystone:2026.1"
OLD, NEW = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


def pull(host: str, image: str = IMAGE) -> Step:
    args = {"action": "pull", "image": image, "engine": "podman"}
    return replace(
        PLAN.steps[0], id=f"pull.{image}@{host}", kind="container", host=host, phase=Phase.PREPARE, args=args
    )


STOP = replace(PLAN.steps[0], id="stop@ks1", kind="units", host="ks1", phase=Phase.QUIESCE, args={})


def pulled(*digests: str, ids: tuple[str, ...] = ()) -> Run:
    steps = [pull(f"ks{number}") for number in range(1, len(digests) + 1)]
    left = [{"digest": digest, "image_id": id_} for digest, id_ in zip(digests, ids or digests, strict=True)]
    attempts = {step.id: (Attempt(1, AT, 1, Done(each), AT),) for step, each in zip(steps, left, strict=True)}
    return Run(id="r1", plan=replace(PLAN, steps=(*steps, STOP)), started_at=AT, attempts=attempts)


def next_(run: Run) -> Decision:
    decision = ruling("keystone", State.PROGRESSING, Reason.STEP_RUNNING, "stop", run.id)
    return replace(decision, ready=(Ready(run=run.id, step=STOP, attempt=1),), plan=run.plan)


def test_nothing_is_touched_while_hosts_hold_different_images():
    run = pulled(OLD, OLD, NEW)
    found = same_everywhere(run, next_(run))
    assert (found.verdict.state, found.verdict.reason, found.ready) == (State.BLOCKED, Reason.IMAGE_MOVED, ())
    assert found.verdict.text == f"{IMAGE} is {OLD} on ks1, and {NEW} on ks3"
    assert found.plan is run.plan


def test_a_group_whose_hosts_do_stands():
    assert rule(History(runs=(pulled(OLD, OLD),))).ready[0].step == STOP
    found = rule(History(runs=(pulled(OLD, NEW),)))
    assert (found.verdict.reason, found.ready) == (Reason.IMAGE_MOVED, ())


@pytest.mark.parametrize(
    "run",
    [pulled(OLD, OLD), pulled(OLD, NEW, ids=("1", "1")), pulled(OLD, OLD, ids=("1", "2")), pulled()],
    ids=["the same", "two names of one image", "one list for two architectures", "none"],
)
def test_what_is_the_same_goes_on(run: Run):
    assert same_everywhere(run, next_(run)) == next_(run)


def test_once_something_was_touched_and_on_the_way_back_nobody_is_stopped():
    run = pulled(OLD, NEW)
    begun = replace(run, attempts={**run.attempts, STOP.id: (Attempt(1, AT, 1),)})
    back = replace(run, plan=replace(run.plan, direction="back"))
    assert same_everywhere(begun, next_(begun)) == next_(begun)
    assert same_everywhere(back, next_(back)) == next_(back)
