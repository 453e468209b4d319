"""What happens to a step when its host reboots, loses power or the link, or the daemon dies; told by a ledger on the host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from reconciler.adapters.inbox import Inbox
from reconciler.domain.outcome import Done, Lost, Outcome
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import Report, State
from tests.lab.lab import Lab, LabHost
from tests.lab.product import NEW, OLD, Product
from tests.lab.repository import DEMO

pytestmark = pytest.mark.lab

LEDGER, GATE = "/var/lib/ledger", "/run/gate"
# Runs until a test opens the gate, or until the cable is pulled out.
SLOW = f"""\
#!/bin/sh
echo begun >>{LEDGER}
until [ -e {GATE} ] || [ "$(cat /sys/class/net/eth0/carrier)" = 0 ]; do sleep 0.1; done
echo ended >>{LEDGER}
"""
PROCEDURES = {
    "slow": {
        "text": "Run something that takes its time, then move.",
        "leg": "route",
        "phases": [
            {"phase": "prepare", "on": "bootstrap", "steps": [{"action": "command", "name": "slow", "argv": ["slow"]}]},
            {"phase": "roll", "on": "wave", "steps": ["install_build", "configure", "restart", "verify_build"]},
        ],
    },
}
STEP = "demo.prepare.slow@h1"
INSTALL = "demo.migrate.install.two@h1"


@pytest.fixture
def names() -> tuple[str, ...]:
    return ("h1",)


@pytest.fixture
async def h1(lab: Lab) -> AsyncIterator[LabHost]:
    """The host that all steps here run on."""
    h1 = lab.hosts["h1"]
    await h1.run("cat >/usr/local/bin/slow && chmod 755 /usr/local/bin/slow", stdin=SLOW)
    yield h1
    await h1.run(f"rm -f {LEDGER} {GATE} /usr/local/bin/slow /usr/local/sbin/{DEMO}-postinst")


@pytest.fixture
async def product(product: Product) -> Product:
    """The service on one host; its procedure runs the slow command before it moves."""
    product.files["procedures/lab.yaml"] = PROCEDURES
    await product.reach(hosts=["h1"])
    return product


async def ledger(h1: LabHost) -> list[str]:
    return (await h1.run(f"cat {LEDGER}", check=False)).split()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():
            await asyncio.sleep(0.1)


@asynccontextmanager
async def in_mid_step(product: Product, h1: LabHost, procedure: str = "slow") -> AsyncIterator[asyncio.Task[Report]]:
    """Let the daemon run to the end in the background; the block begins when the step has."""
    product.want(hosts=["h1"], release="three", procedure=procedure)
    resting = asyncio.create_task(product.rest())

    async def begun() -> bool:
        assert not resting.done(), resting.result().decisions
        return bool(await ledger(h1))

    try:
        await until(begun)
        yield resting
    finally:
        resting.cancel()
        await asyncio.wait([resting])


def see_in_sync(report: Report) -> None:
    verdict = report.decisions[0].verdict
    assert verdict.state is State.IN_SYNC, verdict


def kinds(outcomes: list[Outcome | None]) -> list[type[object]]:
    return [type(outcome) for outcome in outcomes]


async def test_a_step_goes_on_while_its_host_is_cut_off(lab: Lab, product: Product, h1: LabHost) -> None:
    async with in_mid_step(product, h1) as resting:

        async def noticed() -> bool:
            return product.hosts.lost > 0

        lab.link("h1", "down")
        try:
            await until(noticed)
        finally:
            lab.link("h1", "up")
        see_in_sync(await resting)
    assert await ledger(h1) == ["begun", "ended"]
    assert kinds(product.outcomes(STEP)) == [Done]


async def test_a_step_outlives_sshd(product: Product, h1: LabHost) -> None:
    async with in_mid_step(product, h1) as resting:
        await h1.run("systemctl restart ssh; pkill -f '^sshd: root@'", check=False)
        await h1.run(f"touch {GATE}")
        see_in_sync(await resting)
    assert await ledger(h1) == ["begun", "ended"]
    assert kinds(product.outcomes(STEP)) == [Done]


async def test_a_step_outlives_the_daemon(product: Product, h1: LabHost) -> None:
    async with in_mid_step(product, h1):
        pass
    await product.stop()
    product.start()
    await h1.run(f"touch {GATE}")
    see_in_sync(await product.rest())
    assert await ledger(h1) == ["begun", "ended"]
    assert kinds(product.outcomes(STEP)) == [Done]


async def test_a_reboot_in_mid_step_halts_until_somebody_says_retry(lab: Lab, product: Product, h1: LabHost) -> None:
    async with in_mid_step(product, h1) as resting:
        lab.press_reboot("h1")
        verdict = (await resting).decisions[0].verdict
    assert (verdict.state, verdict.reason) == (State.HALTED, Reason.STEP_LOST)
    assert "h1" in verdict.text
    assert "the host rebooted" in verdict.text
    assert await ledger(h1) == ["begun"]
    assert await h1.run(f"cat /run/{DEMO}/version") == OLD

    await h1.run(f"touch {GATE}")
    inbox = Inbox(f"sqlite:///{product.folder}/journal.db", product.ports.clock)
    inbox.ask("retry", "demo", "ada", "the host is up again")
    inbox.close()
    see_in_sync(await product.rest())
    assert await ledger(h1) == ["begun", "begun", "ended"]
    assert kinds(product.outcomes(STEP)) == [Lost, Done]


async def test_an_install_that_lost_power_is_repeated(lab: Lab, product: Product, h1: LabHost) -> None:
    """The power goes while a package is being configured: dpkg is mended, and what was stopped stays so meanwhile."""
    hook = f"/usr/local/sbin/{DEMO}-postinst"
    await h1.run(f"cat >{hook} && chmod 755 {hook}", stdin=SLOW)
    async with in_mid_step(product, h1, procedure="fast-forward") as resting:
        lab.kill("h1")
        lab.power_on("h1")
        await h1.answers()
        state = f"systemctl is-system-running --wait >/dev/null; systemctl is-active {DEMO}"
        assert await h1.run(state, check=False) == "inactive"
        await h1.run(f"touch {GATE}")
        see_in_sync(await resting)
    assert (await ledger(h1))[:3] == ["begun", "begun", "ended"]
    assert kinds(product.outcomes(INSTALL)) == [Lost, Done]
    left = f"dpkg --audit; ls /usr/sbin | grep policy; ls /etc/systemd/system | grep {DEMO}"
    assert await h1.run(f"{left}; cat /run/{DEMO}/version; apt-mark showhold") == f"{NEW}\n{DEMO}"
