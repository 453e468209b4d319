"""What fights the target is found when the plan is made, and named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from reconciler.catalog import load_catalog
from reconciler.domain.desired import Accept, BuildSpec, ContainerSpec, Desired, Override
from reconciler.domain.plan import Plan
from reconciler.domain.position import Position
from reconciler.domain.reasons import Reason
from reconciler.domain.run import History
from reconciler.planning.plan import make_plan
from reconciler.planning.scene import Scene
from tests.planning.test_plan import position
from tests.support.sample import desired

CATALOG = load_catalog()
AT = datetime(2026, 1, 2, tzinfo=UTC)
PACKAGES = {"*": BuildSpec(form="packages", packages={"keystone": "2:{version}-1"})}
YOGA = CATALOG.service("keystone").at("yoga").final_version
GOAL = CATALOG.service("keystone").at("2026.1").final_version


def plan(at: Position, wanted: Desired) -> Plan:
    found = make_plan("keystone", [at], Scene(desired=wanted, catalog=CATALOG, history=History(), now=AT))
    assert found is not None
    return found


def held(version: str, *hosts: str, release: str = "yoga") -> Position:
    at = position()
    return replace(
        at,
        hosts=tuple(
            replace(h, release=release, packages={"keystone": version}, held=frozenset({"keystone"}))
            if h.host in hosts
            else replace(h, packages={"keystone": f"2:{YOGA}-1"})
            for h in at.hosts
        ),
    )


def reasons(found: Plan) -> list[str]:
    return [each.reason for each in found.blocked]


def test_a_hold_at_a_version_that_git_does_not_know_is_named_with_its_hosts() -> None:
    found = plan(held("2:21.0.9-1local", "ks2", "ks3", release=""), desired(release="2026.1", builds=PACKAGES))

    (block,) = found.blocked
    assert block.reason == Reason.PACKAGE_HELD
    assert block.text == f"keystone: keystone is held at 2:21.0.9-1local on ks2, ks3, and is to become 2:{GOAL}-1"
    assert block.hint == "`apt-mark unhold keystone` there, or accept `hold:keystone` to have the hold moved."
    assert found.steps == ()


def test_a_hold_that_a_leg_of_ours_left_is_no_obstacle() -> None:
    ours = held(f"2:{YOGA}-1", "ks1", "ks2", "ks3")

    assert plan(ours, desired(release="2026.1", builds=PACKAGES)).blocked == ()


def test_a_hold_at_the_target_is_no_obstacle() -> None:
    assert plan(held(f"2:{GOAL}-1", "ks2"), desired(release="2026.1", builds=PACKAGES)).blocked == ()


def test_somebody_may_say_that_holds_are_to_be_moved() -> None:
    wanted = desired(release="2026.1", builds=PACKAGES)
    accept = Accept(what="hold:keystone", by="ann", reason="old habit", until=date(2026, 1, 2))
    odd = held("2:1-1", "ks2", release="")

    assert plan(odd, replace(wanted, accepts=(accept,))).blocked == ()
    assert reasons(plan(odd, replace(wanted, accepts=(replace(accept, until=date(2026, 1, 1)),)))) == [
        Reason.PACKAGE_HELD
    ]


def test_many_hosts_are_counted() -> None:
    wanted = desired(release="2026.1", builds=PACKAGES)
    names = tuple(f"ks{n}" for n in range(1, 10))
    hosts = {name: replace(wanted.hosts["ks1"], name=name) for name in names}
    wanted = replace(wanted, hosts=hosts, services={"keystone": replace(wanted.services["keystone"], hosts=names)})
    one = held("2:1-1", "ks1", release="").hosts[0]
    at = replace(position(), hosts=tuple(replace(one, host=name) for name in names))

    assert "on ks1, ks2, ks3, ks4, ks5 and 4 more" in plan(at, wanted).blocked[0].text


def test_an_override_past_its_day_is_named() -> None:
    def wanted(until: date) -> Desired:
        terms = {"ks3": Override(release="yoga", reason="old kernel", until=until)}
        return desired(
            release="2023.1", procedure="zero-downtime", policy="supported",
            overrides={"ks3": "yoga"}, override_terms=terms,
        )  # fmt: skip

    (block,) = plan(position(), wanted(date(2026, 1, 1))).blocked
    assert block.reason == Reason.OVERRIDE_EXPIRED
    assert block.text == "keystone: the override of ks3 to yoga ended on 2026-01-01: old kernel"
    assert plan(position(), wanted(date(2026, 1, 2))).blocked == ()


IMAGE = "registry/keystone:pike"
DIGEST = "registry/keystone@sha256:" + 64 * "a"


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (BuildSpec(form="packages", packages={"keystone": "2:21.0.1-1"}), "keystone=2:21.0.1-1"),
        (BuildSpec(form="container", containers=(ContainerSpec(name="keystone", image=IMAGE),)), IMAGE),
        (BuildSpec(form="container", containers=(ContainerSpec(name="keystone", image=DIGEST),)), DIGEST),
    ],
)
def test_builds_that_are_pinned_for_every_release_are_named(spec: Any, code: str) -> None:
    found = plan(position(), desired(release="zed", policy="supported", builds={"*": spec}))

    (block,) = found.blocked
    assert block.reason == Reason.PINNED
    assert block.text == f"keystone: its builds make zed the same as yoga: {code}"
    assert (
        plan(position(), desired(release="zed", policy="supported", builds={"*": spec, "zed": PACKAGES["*"]})).blocked
        == ()
    )
