"""A host that leaves its build over and over is not brought back to it once more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from reconciler.domain.reasons import Reason
from reconciler.gates import Case
from reconciler.gates.repeats import judge
from tests.support.sample import DESIRED

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def case(*, begun: bool = False, **hours_ago: list[int]) -> Case:
    moved = {host: tuple(NOW - timedelta(hours=each) for each in hours) for host, hours in hours_ago.items()}
    return Case(group="keystone", desired=DESIRED, now=NOW, begun=begun, moved=moved)


def test_a_drift_is_mended_twice_a_day():
    assert judge(case(ks1=[1, 2], ks2=[1, 2, 25], ks3=[])) == ()


def test_a_host_that_left_its_build_three_times_waits_until_a_day_is_over():
    (found,) = judge(case(ks1=[1, 2, 3, 9], ks2=[5, 1, 2], ks3=[1]))
    assert found.reason == Reason.DRIFT_REPEATS
    assert found.text == "ks1, ks2: brought back to the build 3 times within a day, and left it again"
    assert found.until == NOW - timedelta(hours=3) + timedelta(hours=24)


def test_what_has_begun_goes_on():
    assert judge(case(begun=True, ks1=[1, 2, 3])) == ()
