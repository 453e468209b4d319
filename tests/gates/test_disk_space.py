"""Hosts that have too little space keep a leg from beginning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.domain.gate import Holds
from reconciler.domain.reasons import Reason
from reconciler.gates import Case
from reconciler.gates.disk_space import judge
from tests.support.sample import DESIRED, KEYSTONE

GIB = 1 << 30
WANTING = replace(DESIRED, services={"keystone": replace(KEYSTONE, disk_space={"/var": 5.0})})
ENOUGH = {name: {"/var": 6 * GIB} for name in ("ks1", "ks2", "ks3")}


def case(
    free: Mapping[str, Mapping[str, int]], *, begun: bool = False, hosts: tuple[str, ...] = KEYSTONE.hosts
) -> Case:
    return Case(
        group="keystone",
        desired=WANTING,
        now=datetime(2026, 1, 2, tzinfo=UTC),
        begun=begun,
        services=("keystone",),
        hosts={"keystone": hosts},
        free=free,
    )


def test_enough_on_every_host_is_open():
    assert judge(case(ENOUGH)) == ()
    assert judge(case({**ENOUGH, "ks1": {"/var": 5 * GIB}})) == ()


def test_too_little_names_the_hosts_the_worst_first():
    (found,) = judge(case({**ENOUGH, "ks1": {"/var": 4 * GIB}, "ks2": {"/var": GIB // 2}}))
    assert (found.reason, found.holds) == (Reason.DISK_SPACE_SHORT, Holds.EVERYTHING)
    assert found.text == "keystone wants 5 GiB free at /var, and less is on ks2 (0.5 GiB), ks1 (4.0 GiB)"


@pytest.mark.parametrize("free", [{}, {"/srv": 9 * GIB}])
def test_what_no_host_tells_is_no_space(free: dict[str, int]):
    (found,) = judge(case({**ENOUGH, "ks3": free}))
    assert found.text == "nobody can tell how much is free at /var on ks3"


def test_a_leg_that_has_begun_goes_on():
    assert judge(case({}, begun=True)) == ()


def test_a_host_that_the_leg_leaves_alone_is_not_asked():
    assert judge(case({"ks1": {"/var": 6 * GIB}, "ks2": {"/var": 0}}, hosts=("ks1",))) == ()
