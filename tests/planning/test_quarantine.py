"""Hosts in quarantine are no targets, until the end of their day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from reconciler.domain.desired import Deployment, Quarantine
from reconciler.planning.quarantine import hosts_of, in_force
from tests.support.sample import DESIRED, KEYSTONE

DAY = date(2026, 1, 2)
SICK = Quarantine(host="ks2", by="ada", reason="its disk is dying", until=DAY)


def test_a_quarantined_host_is_no_target_to_the_end_of_its_day():
    found = in_force(replace(DESIRED, quarantined=(SICK,)), DAY)
    assert found.services["keystone"].hosts == ("ks1", "ks3")
    assert "ks2" in found.hosts
    assert hosts_of("keystone", found) == ("ks2",)
    assert hosts_of("glance", found) == ()


def test_afterwards_it_is_one_again():
    found = in_force(replace(DESIRED, quarantined=(SICK,)), date(2026, 1, 3))
    assert found == replace(DESIRED, quarantined=())


def test_without_any_nothing_is_made_anew():
    assert in_force(DESIRED, DAY) is DESIRED


def test_a_deployment_that_takes_over_loses_it_too():
    second = Deployment(hosts=("ks2", "ks3"), bootstrap="ks3")
    service = replace(KEYSTONE, hosts=("ks1",), replacements={"zed": second}, deployment="own")
    found = in_force(replace(DESIRED, services={"keystone": service}, quarantined=(SICK,)), DAY)
    assert found.services["keystone"].replacements["zed"].hosts == ("ks3",)
    assert hosts_of("keystone", found) == ("ks2",)
