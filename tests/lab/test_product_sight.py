"""What is seen of real hosts, and that it is explained before anything is done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

import pytest

from reconciler.domain.observation import Absent, HostReport, Known, Observations, Observed, Unknown
from reconciler.domain.plan import Plan
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from tests.lab.lab import Lab
from tests.lab.product import APT, CONFIG, NEW, OLD, STATE_DIR, Product
from tests.lab.repository import DEMO

pytestmark = pytest.mark.lab

T = TypeVar("T")
IMAGE = "lab.example/seen"


def known(observed: Observed[T] | None) -> T:
    assert isinstance(observed, Known), observed
    return observed.value


def report(seen: Observations, host: str) -> HostReport:
    return known(seen.hosts[host])


@pytest.fixture
async def container(lab: Lab) -> AsyncIterator[str]:
    """A container on h3; the digest of its image."""
    h3 = lab.hosts["h3"]
    await h3.run(
        "d=$(mktemp -d) && mkdir $d/bin && cp /bin/busybox $d/bin && ln -s busybox $d/bin/sleep"
        f' && tar -c -C $d . | podman import --quiet --change \'CMD ["/bin/sleep", "600"]\' - {IMAGE}:7.1'
        f" && podman run --detach --quiet --name seen {IMAGE}:7.1"
    )
    yield await h3.run(f"podman image inspect --format '{{{{.Digest}}}}' {IMAGE}:7.1")
    await h3.run("podman rm --force --time 0 seen; podman rmi --force --all")


async def test_a_fleet_met_for_the_first_time_is_explained(lab: Lab, product: Product, container: str) -> None:
    """h1 runs the old version, h2 has a new one installed but not running, h3 has none, but a container."""
    h1, h2, h3 = lab.hosts.values()
    quiet = "printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d"
    await asyncio.gather(
        h1.run(f"apt-mark hold {DEMO}"),
        h2.run(f"sleep 2; {quiet}; {APT} install {DEMO}={NEW}; rm /usr/sbin/policy-rc.d"),
        h3.run(f"{APT} purge {DEMO}"),
    )
    product.want(release="three", suspended="first look")
    result = await product.rest()
    seen = result.observations

    package = known(report(seen, "h1").packages[DEMO])
    assert (package.version, package.held) == (OLD, True)
    newer = known(report(seen, "h2").packages[DEMO])
    assert (newer.version, newer.held) == (NEW, False)
    unit = known(report(seen, "h2").units[DEMO])
    assert unit.started_at is not None
    assert newer.installed_at is not None
    assert (unit.state, unit.started_at < newer.installed_at) == ("active", True)
    assert isinstance(report(seen, "h3").packages[DEMO], Absent)
    assert isinstance(report(seen, "h3").units[DEMO], Absent)
    assert isinstance(report(seen, "h1").configs["demo"], Absent)
    tiny = known(report(seen, "h3").containers["seen"])
    assert (tiny.image, tiny.tag, tiny.digest, tiny.state) == (IMAGE, "7.1", container, "running")
    facts = known(report(seen, "h1").facts)
    assert facts.boot_id == await h1.boot_id()
    assert facts.free_bytes[STATE_DIR] > 0

    (decision,), (position,) = result.decisions, result.positions
    assert (decision.verdict.state, decision.verdict.reason) == (State.BLOCKED, Reason.HOST_WITHOUT_BUILD)
    assert "h3" in decision.verdict.text
    drift = {host.host: " ".join(host.drift) for host in position.hosts}
    assert f"package {DEMO} is {OLD} instead of {NEW}" in drift["h1"]
    assert f"unit {DEMO} was started before package {DEMO} was installed" in drift["h2"]
    assert f"package {DEMO} is not there" in drift["h3"]

    await h3.run(f"{APT} install {DEMO}={OLD}")
    product.want(release="three", suspended="second look")
    (decision,) = (await product.rest()).decisions
    assert (decision.verdict.state, "second look" in decision.verdict.text) == (State.SUSPENDED, True)
    assert isinstance(decision.plan, Plan)
    assert [route.route for route in decision.plan.services] == [("one", "two", "three")]
    assert await asyncio.gather(*(host.run(f"ls {STATE_DIR}", check=False) for host in lab.hosts.values())) == [""] * 3


async def test_what_was_changed_by_hand_is_mended_there_alone(lab: Lab, product: Product) -> None:
    """A configuration file on h2; nothing is done while h3 is cut off."""
    h2 = lab.hosts["h2"]
    await product.reach(waves=[2])
    mark = len(product.order())
    await h2.run(f"echo '# by hand' >>{CONFIG}")
    desired = product.want(waves=[2])
    lab.link("h3", "down")
    try:
        result = await product.rest()
    finally:
        lab.link("h3", "up")
    config = known(report(result.observations, "h2").configs["demo"])
    assert config.digest is None
    assert known(report(result.observations, "h1").configs["demo"]).digest is not None
    lost = result.observations.hosts["h3"]
    assert isinstance(lost, Unknown)
    assert lost.reason == Reason.HOST_UNREACHABLE
    (decision,) = result.decisions
    assert (decision.verdict.state, decision.verdict.reason) == (State.BLOCKED, Reason.HOST_UNREACHABLE)
    assert len(product.order()) == mark

    await lab.hosts["h3"].answers()
    await product.reach(waves=[2])
    assert {step.split("@")[1] for step in product.order()[mark:] if "@" in step} == {"h2"}
    assert await h2.run(f"cat {CONFIG}") == "port=8080"
    seen = await product.look(desired)
    assert known(report(seen, "h2").configs["demo"]).digest == known(report(seen, "h1").configs["demo"]).digest
