"""Hosts in quarantine are no targets, until the end of their day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from reconciler.domain.desired import BuildSpec, ContainerSpec, Deployment, Quarantine
from reconciler.domain.observation import Absent, Container, HostReport, Known, Observations, Unit, Unknown
from reconciler.domain.quarantine import Aside
from reconciler.domain.run import History
from reconciler.planning.quarantine import aside_of, ask_since, hosts_of, in_force
from tests.planning.test_put_back import done, run
from tests.support.sample import DESIRED, KEYSTONE

DAY = date(2026, 1, 2)
AT = datetime(2026, 1, 2, tzinfo=UTC)
ACTIVE = Known(Unit("active", AT), AT)
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


@pytest.mark.parametrize(
    ("state", "runs"),
    [("active", ("unit keystone",)), ("activating", ("unit keystone",)), ("inactive", ()), ("failed", ())],
)
def test_what_still_runs_on_one_is_told(state: str, runs: tuple[str, ...]):
    report = HostReport(facts=Absent(AT), units={"keystone": Known(Unit(state, None), AT), "sshd": ACTIVE})
    found = in_force(replace(DESIRED, quarantined=(SICK,)), DAY)
    assert aside_of(found, Observations(hosts={"ks2": Known(report, AT)}, after=7)) == (
        Aside(service="keystone", host="ks2", runs=runs, asked=7),
    )


def test_its_containers_are_seen_too():
    build = BuildSpec(form="container", containers=(ContainerSpec(name="keystone_api", image="keystone:1"),))
    service = replace(KEYSTONE, units=(), builds={"*": build})
    found = in_force(replace(DESIRED, services={"keystone": service}, quarantined=(SICK,)), DAY)
    shown = Container(image="keystone", tag="1", digest="", state="running", started_at=AT)
    report = HostReport(facts=Absent(AT), containers={"keystone_api": Known(shown, AT), "*": Absent(AT)})
    (aside,) = aside_of(found, Observations(hosts={"ks2": Known(report, AT)}))
    assert aside.runs == ("container keystone_api",)


def test_one_that_nobody_can_ask_is_known_by_when_it_was_tried():
    found = in_force(replace(DESIRED, quarantined=(SICK,)), DAY)
    lost = Observations(hosts={"ks2": Unknown("HostUnreachable", "no route", AT)}, after=7)
    assert aside_of(found, lost) == (Aside(service="keystone", host="ks2", asked=7),)
    assert aside_of(found, Observations()) == (Aside(service="keystone", host="ks2"),)


def test_they_are_asked_right_before_databases_are_put_back():
    found = in_force(replace(DESIRED, quarantined=(replace(SICK, host="ks3"),)), DAY)
    back = run(stop1=done(1), stop2=done(2))
    assert list(ask_since(found, History(runs=(back,)))) == [2]
    assert list(ask_since(found, History(runs=(replace(back, ended="backed_out"),)))) == []


def test_without_any_nothing_is_made_anew():
    assert in_force(DESIRED, DAY) is DESIRED


def test_a_deployment_that_takes_over_loses_it_too():
    second = Deployment(hosts=("ks2", "ks3"), bootstrap="ks3")
    service = replace(KEYSTONE, hosts=("ks1",), replacements={"zed": second}, deployment="own")
    found = in_force(replace(DESIRED, services={"keystone": service}, quarantined=(SICK,)), DAY)
    assert found.services["keystone"].replacements["zed"].hosts == ("ks3",)
    assert hosts_of("keystone", found) == ("ks2",)
