"""The lab itself: hosts that are real enough to be upgraded, rebooted and cut off."""

import asyncio
import subprocess
from collections.abc import AsyncIterator

import asyncssh
import pytest

from tests.lab.lab import Lab, LabError, LabHost
from tests.lab.repository import DEMO, DEMO_VERSIONS

pytestmark = pytest.mark.lab

OLD, MIDDLE, NEW = DEMO_VERSIONS
APT = "DEBIAN_FRONTEND=noninteractive apt-get -qq -y"


@pytest.fixture
def h1(lab: Lab) -> LabHost:
    return lab.hosts["h1"]


@pytest.fixture
def h2(lab: Lab) -> LabHost:
    return lab.hosts["h2"]


async def every(lab: Lab, command: str) -> list[str]:
    return await asyncio.gather(*(host.run(command) for host in lab.hosts.values()))


async def test_systemd_runs_every_host(lab: Lab) -> None:
    assert await every(lab, "cat /proc/1/comm") == ["systemd"] * 3
    assert await every(lab, "systemctl is-system-running --wait") == ["running"] * 3


async def test_hosts_are_three(lab: Lab) -> None:
    assert await every(lab, "uname -n") == ["h1", "h2", "h3"]
    for identity in ("/proc/sys/kernel/random/boot_id", "/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key"):
        assert len(set(await every(lab, f"cat {identity}"))) == 3


async def test_a_host_reaches_another_by_name(h1: LabHost) -> None:
    assert "SSH-2.0" in await h1.run("bash -c 'read -r banner </dev/tcp/h3/22; echo $banner'")


async def test_host_key_of_another_host_is_refused(lab: Lab, h1: LabHost, h2: LabHost) -> None:
    with pytest.raises(asyncssh.HostKeyNotVerifiable):
        await asyncssh.connect(
            h1.address,
            username=h1.user,
            client_keys=[str(h1.key)],
            config=None,
            known_hosts=([asyncssh.read_private_key(lab.folder / h2.name / "ssh_host_ed25519_key")], [], []),
        )


async def test_child_processes_are_on_the_lab_network(lab: Lab) -> None:
    command = ["bash", "-c", f"read -r banner </dev/tcp/{lab.hosts['h1'].address}/22; echo $banner"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.startswith("SSH-2.0")


async def test_cut_link_cuts_off_one_host(lab: Lab, h1: LabHost, h2: LabHost) -> None:
    lab.link("h2", "down")
    try:
        with pytest.raises((OSError, asyncssh.Error)):
            await h2.connect(timeout_s=1)
        assert await h1.run("uname -n") == "h1"
    finally:
        lab.link("h2", "up")
    await h2.answers()


async def test_connection_lives_through_a_short_cut(lab: Lab, h2: LabHost) -> None:
    async with await h2.connect() as connection:
        lab.link("h2", "down")
        answer = asyncio.create_task(connection.run("uname -n", check=True))
        await asyncio.sleep(0.3)
        lab.link("h2", "up")
        assert (await answer).stdout == "h2\n"


async def test_reboot_is_a_new_boot_of_the_same_disk(lab: Lab, h2: LabHost) -> None:
    before = await h2.boot_id()
    await h2.run("echo kept >/var/lib/note; echo lost >/run/note")
    await lab.reboot("h2")
    assert await h2.boot_id() != before
    assert await h2.run("cat /var/lib/note") == "kept"
    assert await h2.run("ls /run/note", check=False) == ""


async def test_host_reboots_itself(h2: LabHost) -> None:
    before = await h2.boot_id()
    await h2.run("systemctl reboot", check=False)
    await h2.answers(after_boot=before)


async def test_power_cut_keeps_the_disk(lab: Lab, h2: LabHost) -> None:
    before = await h2.boot_id()
    await h2.run("echo kept >/var/lib/note")
    lab.kill("h2")
    with pytest.raises((OSError, asyncssh.Error)):
        await h2.connect(timeout_s=1)
    lab.power_on("h2")
    await h2.answers(after_boot=before)
    assert await h2.run("cat /var/lib/note") == "kept"


def test_unknown_host_is_an_error(lab: Lab) -> None:
    with pytest.raises(LabError, match="h9"):
        lab.link("h9", "down")


class TestPackages:
    """Deb packages from the lab's repository; each test starts at OLD, running."""

    @pytest.fixture(autouse=True)
    async def old(self, h1: LabHost) -> AsyncIterator[None]:
        await h1.run(f"{APT} update && {APT} --allow-downgrades --allow-change-held-packages install {DEMO}={OLD}")
        yield
        await h1.run(f"{APT} --allow-change-held-packages purge {DEMO}")

    @staticmethod
    async def versions(host: LabHost) -> tuple[str, str]:
        """Return the version installed and the one running."""
        installed = await host.run(f"dpkg-query -W -f '${{Version}}' {DEMO}")
        running = await host.run(f"systemctl is-active --quiet {DEMO} && cat /run/{DEMO}/version")
        return installed, running

    async def test_install_starts_the_service(self, h1: LabHost) -> None:
        assert await self.versions(h1) == (OLD, OLD)
        assert await h1.run(f"cat /usr/share/{DEMO}/version") == OLD
        assert await h1.run(f"dpkg-query -W -f '${{Conffiles}}' {DEMO}") != ""

    async def test_upgrade_and_exact_downgrade(self, h1: LabHost) -> None:
        await h1.run(f"{APT} install {DEMO}={NEW}")
        assert await self.versions(h1) == (NEW, NEW)
        await h1.run(f"{APT} --allow-downgrades install {DEMO}={MIDDLE}")
        assert await self.versions(h1) == (MIDDLE, MIDDLE)

    async def test_held_package_stays(self, h1: LabHost) -> None:
        await h1.run(f"apt-mark hold {DEMO}")
        await h1.run(f"{APT} dist-upgrade")
        assert await self.versions(h1) == (OLD, OLD)
        assert await h1.run("apt-mark showhold") == DEMO

    async def test_masked_service_runs_on_over_an_upgrade(self, h1: LabHost) -> None:
        await h1.run(f"systemctl mask {DEMO} && {APT} install {DEMO}={NEW}")
        try:
            assert await self.versions(h1) == (NEW, OLD)
        finally:
            await h1.run(f"systemctl unmask {DEMO}")

    async def test_changed_conffile_is_kept(self, h1: LabHost) -> None:
        await h1.run(f"echo mine >/etc/{DEMO}/{DEMO}.conf")
        await h1.run(f"{APT} -o Dpkg::Options::=--force-confold install {DEMO}={NEW}")
        assert await h1.run(f"cat /etc/{DEMO}/{DEMO}.conf") == "mine"


async def test_podman_shows_tag_and_digest(h1: LabHost) -> None:
    image = "lab.example/tiny:1.2.3"
    await h1.run(
        "d=$(mktemp -d) && mkdir $d/bin && cp /bin/busybox $d/bin && ln -s busybox $d/bin/sleep"
        f' && tar -c -C $d . | podman import --quiet --change \'CMD ["/bin/sleep", "600"]\' - {image}'
    )
    await h1.run(f"podman run --detach --quiet --name tiny {image}")
    try:
        name, identity = (await h1.run("podman ps --no-trunc --format '{{.Image}} {{.ImageID}}'")).split()
        digest = await h1.run(f"podman image inspect --format '{{{{.Digest}}}}' {image}")
        assert name == image
        assert identity == await h1.run("podman inspect --format '{{.Image}}' tiny")
        assert digest.startswith("sha256:")
    finally:
        await h1.run("podman rm --force --time 0 tiny")


async def test_mariadb_is_reached_over_the_network(h1: LabHost) -> None:
    await h1.run("systemctl start mariadb")
    try:
        reader, writer = await asyncio.open_connection(h1.address, 3306)
        assert b"MariaDB" in await reader.read(100)
        writer.close()
    finally:
        await h1.run("systemctl stop mariadb")


async def test_mariadb_keeps_rows_over_a_restart(h1: LabHost) -> None:
    await h1.run("systemctl start mariadb")
    try:
        await h1.run("mariadb -e 'CREATE DATABASE lab; CREATE TABLE lab.t (n INT); INSERT INTO lab.t VALUES (7)'")
        await h1.run("systemctl restart mariadb")
        assert await h1.run("mariadb -Ne 'SELECT n FROM lab.t'") == "7"
    finally:
        await h1.run("mariadb -e 'DROP DATABASE lab'; systemctl stop mariadb")
