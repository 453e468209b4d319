"""Whom the product trusts: host keys that changed or are not known, and a login that becomes root by sudo."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh
import pytest

from reconciler.domain.observation import Known, Unknown
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from tests.lab.lab import Lab, LabHost
from tests.lab.product import NEW, OLD, STATE_DIR, Product
from tests.lab.repository import DEMO

pytestmark = pytest.mark.lab

KEY = "/etc/ssh/ssh_host_ed25519_key"
CONNECTIONS = "awk '/^Tcp: [0-9]/ { print $7 }' /proc/net/snmp"  # PassiveOpens: what the host has accepted since boot


@pytest.fixture
async def h3(lab: Lab) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """A connection to h3 that outlives a change of its key."""
    async with await lab.hosts["h3"].connect() as connection:
        yield connection


async def said(connection: asyncssh.SSHClientConnection, command: str) -> str:
    return str((await connection.run(command, check=True)).stdout).strip()


async def blocked(product: Product, reason: Reason) -> None:
    """See that a commit moves nobody, since h3 is not to be trusted, and that the others were seen."""
    product.want(release="three")
    result = await product.rest()
    (decision,) = result.decisions
    assert (decision.verdict.state, decision.verdict.reason) == (State.BLOCKED, reason)
    assert "h3" in decision.verdict.text
    refused = result.observations.hosts["h3"]
    assert isinstance(refused, Unknown)
    assert refused.reason == reason
    assert isinstance(result.observations.hosts["h1"], Known)
    assert product.order() == []


async def test_a_host_with_another_key_is_left_alone(product: Product, h3: asyncssh.SSHClientConnection) -> None:
    await said(h3, f"mv {KEY} {KEY}.pinned && ssh-keygen -q -t ed25519 -N '' -f {KEY} && systemctl restart ssh")
    try:
        await blocked(product, Reason.HOST_KEY_CHANGED)
        assert await said(h3, f"ls {STATE_DIR} 2>/dev/null; cat /run/{DEMO}/version") == OLD
    finally:
        await said(h3, f"mv {KEY}.pinned {KEY} && rm {KEY}.pub && systemctl restart ssh")


async def test_a_host_without_a_pinned_key_is_not_contacted(
    product: Product, h3: asyncssh.SSHClientConnection, tmp_path: Path
) -> None:
    pinned = product.known_hosts.read_text().splitlines(keepends=True)
    await product.stop()
    product.known_hosts = tmp_path / "known_hosts"
    product.known_hosts.write_text("".join(line for line in pinned if not line.startswith("h3,")))
    product.start()
    before = await said(h3, CONNECTIONS)
    await blocked(product, Reason.HOST_KEY_UNKNOWN)
    assert await said(h3, CONNECTIONS) == before


@pytest.fixture
async def ada(lab: Lab) -> AsyncIterator[LabHost]:
    """The user ada on h1, who may become root by sudo without a password."""
    h1 = lab.hosts["h1"]
    await h1.run(
        "useradd --create-home --password '*' ada && install -d -m 700 -o ada ~ada/.ssh"
        " && install -m 600 -o ada ~/.ssh/authorized_keys ~ada/.ssh"
        " && echo 'ada ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ada"
    )
    yield h1
    await h1.run("rm -f /etc/sudoers.d/ada; userdel --force --remove ada", check=False)


async def test_a_login_becomes_root_by_sudo(product: Product, ada: LabHost) -> None:
    product.logins["h1"] = {"login": {"user": "ada", "become": "sudo"}}
    await product.reach(hosts=["h1"], release="three")
    assert await ada.run(f"cat /run/{DEMO}/version; stat -c '%U %a' {STATE_DIR}/steps") == f"{NEW}\nroot 700"


async def test_a_login_that_may_not_become_root_is_refused(product: Product, ada: LabHost) -> None:
    await ada.run("rm /etc/sudoers.d/ada")
    product.logins["h1"] = {"login": {"user": "ada", "become": "sudo"}}
    product.want(hosts=["h1"], release="three")
    verdict = await product.verdict()
    assert (verdict.state, verdict.reason) == (State.BLOCKED, Reason.HOST_SUDO_REFUSED)
    assert "sudo" in verdict.text
    assert await ada.run(f"cat /run/{DEMO}/version") == OLD
