"""What is still to be put back, and since when nothing else keeps it from that, from literals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from reconciler.domain.outcome import Done, Failed
from reconciler.domain.plan import Step
from reconciler.domain.procedure import Phase
from reconciler.domain.run import Attempt, Run
from reconciler.planning.put_back import put_back_since, to_put_back
from tests.planning.test_judge import PLAN

AT = datetime(2026, 1, 2, tzinfo=UTC)


def step(name: str, kind: str, host: str, *after: str, service: str = "keystone") -> Step:
    return replace(
        PLAN.steps[0], id=name, kind=kind, host=host, phase=Phase.BACK_OUT, after=after, service=service, args={}
    )


STEPS = (
    step("stop1", "units", "ks1"),
    step("stop2", "units", "ks2"),
    step("one", "restore", "ks1", "stop1", "stop2"),
    step("two", "restore", "ks1", "one"),
    step("other", "restore", "ks1", "stop1", service="glance"),
    step("start", "units", "ks1", "two"),
)


def done(number: int) -> tuple[Attempt, ...]:
    return (Attempt(1, AT, 1, Done(), AT, ended_with=number),)


def run(**attempts: tuple[Attempt, ...]) -> Run:
    return Run(id="r1", plan=PLAN, started_at=AT, back=STEPS, attempts=attempts)


def since(found: Run, service: str = "keystone", *gone: str) -> int | None:
    return put_back_since(service, found, frozenset(gone))


def test_nothing_is_asked_before_all_is_done_that_comes_before():
    assert since(run(stop1=done(1))) is None
    assert since(run(stop1=done(1), stop2=done(2))) == 2
    assert since(run(stop1=done(1)), "glance") == 1


def test_what_is_of_hosts_that_are_gone_is_not_waited_for():
    assert since(run(stop1=done(1)), "keystone", "ks2") == 1


def test_before_the_next_database_all_are_asked_again():
    assert since(run(stop1=done(1), stop2=done(2), one=(Attempt(1, AT, 1),))) is None
    assert since(run(stop1=done(1), stop2=done(2), one=done(7))) == 7
    assert since(run(stop1=done(1), stop2=done(2), one=done(7), two=done(8))) is None


def test_what_comes_after_nothing_is_asked_of_since_the_run_began():
    alone = replace(run(), back=(step("one", "restore", "ks1"),), began_with=3)
    assert since(alone) == 3


def test_what_failed_is_still_to_be_put_back_and_what_runs_is_not():
    failed = (Attempt(1, AT, 1, Failed("StepFailed", "no"), AT),)
    assert [each.id for each in to_put_back(run(one=failed, two=(Attempt(1, AT, 1),)))] == ["one", "other"]
