"""Probes of units on hosts with systemd, from the first question to the verdict."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from reconciler.domain.desired import Desired
from reconciler.domain.effect import AskProbe
from reconciler.domain.outcome import Done, Failed, Outcome
from reconciler.domain.probe import UnitProbe
from reconciler.execution.sampling import sampled
from reconciler.steps import Evidence, probe
from tests.lab.lab import Lab, LabHost
from tests.lab.product import Product

pytestmark = pytest.mark.lab

UNIT = "/run/systemd/system/probed.service"
TEXT = "[Service]\nExecStart=/bin/sh -c 'sleep {lives_s}'\nRestart=always\nRestartSec=0.1\nStartLimitIntervalSec=0\n"


@pytest.fixture
def names() -> tuple[str, ...]:
    return ("h1",)


@pytest.fixture
async def h1(lab: Lab) -> AsyncIterator[LabHost]:
    host = lab.hosts["h1"]
    yield host
    await host.run(f"systemctl stop probed; rm -f {UNIT}; systemctl daemon-reload; systemctl reset-failed")


async def start(host: LabHost, lives_s: float) -> None:
    """Start a unit that ends, and is begun anew, after so many seconds."""
    await host.run(
        f"cat >{UNIT}; systemctl daemon-reload; systemctl restart probed", stdin=TEXT.format(lives_s=lives_s)
    )


async def judged(product: Product, desired: Desired, unit: str = "probed", **more: float) -> Outcome:
    asked = UnitProbe(name="p", unit=unit, **{"count": 6, "interval_s": 0.5, "warmup_s": 3.0, **more})
    question = AskProbe(probe=asked, host="h1")
    answers = {question: await sampled(question, desired, product.ports)}
    return probe.judge(probe.Model(probe=asked, host="h1"), Evidence(answers=answers))


async def test_a_unit_that_runs_on_is_good(product: Product, h1: LabHost) -> None:
    desired = product.want(hosts=["h1"])
    await start(h1, 600)
    found = await judged(product, desired)
    assert isinstance(found, Done), found
    assert "unit probed is active" in found.text


async def test_a_unit_that_is_begun_anew_again_and_again_is_active_each_time_and_not_good(
    product: Product, h1: LabHost
) -> None:
    desired = product.want(hosts=["h1"])
    await start(h1, 1)
    found = await judged(product, desired, warmup_s=0.0)
    assert isinstance(found, Failed), found
    assert "started anew between two questions" in found.text or "is activating" in found.text


async def test_a_unit_that_somebody_restarts_meanwhile_is_not_good(product: Product, h1: LabHost) -> None:
    desired = product.want(hosts=["h1"])
    await start(h1, 600)
    await h1.run("systemd-run -q --on-active=2 --timer-property=AccuracySec=100ms systemctl restart probed")
    found = await judged(product, desired, count=12)
    assert isinstance(found, Failed), found


async def test_a_unit_that_is_stopped_or_not_there_is_not_good(product: Product, h1: LabHost) -> None:
    desired = product.want(hosts=["h1"])
    await start(h1, 600)
    await h1.run("systemctl stop probed")
    stopped = await judged(product, desired, warmup_s=0.0)
    assert isinstance(stopped, Failed)
    assert "unit probed is inactive" in stopped.text
    gone = await judged(product, desired, unit="no-such-unit", warmup_s=0.0)
    assert isinstance(gone, Failed)
    assert "unit no-such-unit is not there" in gone.text
