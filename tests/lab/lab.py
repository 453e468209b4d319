"""Three real hosts on one machine, as tests see them: addresses, keys, and the hand on plug and power button.

    lab = Lab.start(folder, image.ensure())
    with lab.network():                           # this thread's new connections and child processes
        await lab.hosts["h1"].run("uname -n")
        lab.link("h2", "down")
        await lab.reboot("h1")
    lab.stop()

The lab ends with the process that started it, however that ends.
"""

import asyncio
import contextlib
import shlex
import socket
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, Self

import asyncssh

from tests.lab import network

ROOT = Path(__file__).parents[2]
NAMES = ("h1", "h2", "h3")
BOOT_ID = "/proc/sys/kernel/random/boot_id"
TRIES_EVERY_S = 0.05
ISOLATE = shlex.split("unshare --mount --propagation=private --net --pid --fork --kill-child=KILL --mount-proc")


class LabError(Exception):
    """Says what the lab could not do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabHost:
    """One host: Debian 12 with systemd, sshd (root, by key), apt, podman and MariaDB (not started)."""

    name: str
    address: str
    key: Path
    known_hosts: Path
    console: Path
    port: int = 22
    user: str = "root"

    async def connect(self, timeout_s: float = 5) -> asyncssh.SSHClientConnection:
        """Open a connection of its own; raises OSError or asyncssh.Error."""
        return await asyncssh.connect(
            self.address,
            self.port,
            username=self.user,
            client_keys=[str(self.key)],
            known_hosts=str(self.known_hosts),
            config=None,
            agent_path=None,
            connect_timeout=timeout_s,
        )

    async def run(self, command: str, *, stdin: str = "", check: bool = True) -> str:
        """Run a shell command over a connection of its own; return what it printed, stripped.

        Raises LabError with what it said when it fails, unless `check` is off; OSError or asyncssh.Error when
        the host cannot be reached.
        """
        async with await self.connect() as connection:
            done = await connection.run(command, input=stdin)
        if check and done.exit_status != 0:
            raise LabError(f"{self.name}: {command!r} ended with {done.exit_status}: {done.stderr!s}{done.stdout!s}")
        return str(done.stdout).strip()

    async def boot_id(self) -> str:
        """Return the id of the present boot."""
        return await self.run(f"cat {BOOT_ID}")

    async def answers(self, *, after_boot: str = "", within_s: float = 30) -> None:
        """Wait until the host has booted and runs commands, in another boot than `after_boot`."""
        try:
            async with asyncio.timeout(within_s):
                while await self._boot_id_if_up() in {"", after_boot}:
                    await asyncio.sleep(TRIES_EVERY_S)
        except TimeoutError as error:
            raise LabError(f"{self.name} does not answer within {within_s} s; see {self.console}") from error

    async def _boot_id_if_up(self) -> str:
        try:
            return await self.boot_id()
        except (OSError, asyncssh.Error, LabError):
            return ""


class Lab:
    """A running lab; `start` makes one."""

    def __init__(self, folder: Path, hosts: dict[str, LabHost], supervisor: subprocess.Popen[str]) -> None:
        self.folder = folder
        self.hosts = hosts
        self._supervisor = supervisor

    @classmethod
    def start(cls, folder: Path, image: Path, names: tuple[str, ...] = NAMES, within_s: float = 30) -> Self:
        """Boot hosts of these names from `image` and wait for their sshd.

        `folder` (absolute) gets keys, known_hosts, ssh_config and logs; the hosts' disks are in memory. What
        lies in `folder`/repository is served to the hosts' apt.
        """
        hosts = {name: _prepare(folder, name, number) for number, name in enumerate(names, start=1)}
        _introduce(folder, hosts)
        with (folder / "supervisor.log").open("ab") as log:
            lab = cls(folder, hosts, _spawn([str(folder), str(image), *names], log))
        try:
            lab._hear("ready")
            with lab.network():
                _wait_for_banners(list(hosts.values()), within_s)
        except BaseException:
            lab.stop()
            raise
        return lab

    def stop(self) -> None:
        """End every host and everything that belongs to them."""
        with contextlib.suppress(BrokenPipeError):
            self._pipe(self._supervisor.stdin).close()
        try:
            self._supervisor.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()
        self._pipe(self._supervisor.stdout).close()

    @property
    def repository(self) -> Path:
        """The folder that the hosts' apt is served from."""
        return self.folder / "repository"

    def network(self) -> contextlib.AbstractContextManager[None]:
        """Put this thread's new connections and child processes on the lab's network."""
        if self._supervisor.poll() is not None:
            raise self._died()
        return network.inside(self._supervisor.pid)

    def link(self, host: str, state: Literal["up", "down"]) -> None:
        """Plug the cable of `host` in or out; it stays so over a boot."""
        self._order(f"link {host} {state}")

    def kill(self, host: str) -> None:
        """Cut the power of `host`; its disk keeps what was written. `power_on` boots it again."""
        self._order(f"kill {host}")

    def power_on(self, host: str) -> None:
        """Boot `host` unless it runs; `LabHost.answers` waits for it."""
        self._order(f"start {host}")

    def press_reboot(self, host: str) -> None:
        """Ask `host` to reboot in good order, and return at once."""
        self._order(f"reboot {host}")

    async def reboot(self, host: str) -> None:
        """Reboot `host` in good order and wait until it answers again."""
        before = await self.hosts[host].boot_id()
        self.press_reboot(host)
        await self.hosts[host].answers(after_boot=before)

    def _order(self, order: str) -> None:
        pipe = self._pipe(self._supervisor.stdin)
        with contextlib.suppress(BrokenPipeError):
            pipe.write(f"{order}\n")
            pipe.flush()
        self._hear("ok")

    def _hear(self, expected: str) -> None:
        answer = self._pipe(self._supervisor.stdout).readline().strip()
        if not answer:
            raise self._died()
        if answer != expected:
            raise LabError(answer)

    def _died(self) -> LabError:
        log = (self.folder / "supervisor.log").read_text(errors="replace").strip()
        return LabError(f"the lab's supervisor died; its last words:\n{log}")

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


def _spawn(arguments: list[str], log: IO[bytes]) -> subprocess.Popen[str]:
    """Start the supervisor in namespaces of its own, out of reach of the terminal's Ctrl-C."""
    return subprocess.Popen(
        [*ISOLATE, sys.executable, "-m", "tests.lab.supervisor", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=True,
    )


def _prepare(folder: Path, name: str, number: int) -> LabHost:
    """Write what makes a host itself: its name, machine id and host key."""
    seed = folder / name
    seed.mkdir(parents=True)
    (seed / "hostname").write_text(f"{name}\n")
    (seed / "machine-id").write_text(f"{uuid.uuid4().hex}\n")
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(seed / "ssh_host_ed25519_key")
    return LabHost(
        name=name,
        address=network.address(number),
        key=folder / "id_ed25519",
        known_hosts=folder / "known_hosts",
        console=seed / "console.log",
    )


def _introduce(folder: Path, hosts: dict[str, LabHost]) -> None:
    """Make the login key; tell every host of the others and of the key, and us of their host keys."""
    login = asyncssh.generate_private_key("ssh-ed25519")
    login.write_private_key(folder / "id_ed25519")
    (folder / "id_ed25519").chmod(0o600)
    (folder / "repository").mkdir(exist_ok=True)
    names = "".join(f"{host.address} {host.name}\n" for host in hosts.values())
    known_hosts = ""
    for host in hosts.values():
        seed = folder / host.name
        (seed / "hosts").write_text(f"127.0.0.1 localhost\n{names}")
        login.write_public_key(seed / "authorized_keys")
        public = asyncssh.read_private_key(seed / "ssh_host_ed25519_key").export_public_key().decode()
        known_hosts += f"{host.name},{host.address} {public}"
    (folder / "known_hosts").write_text(known_hosts)
    aliases = "".join(f"Host {host.name}\n  HostName {host.address}\n" for host in hosts.values())
    (folder / "ssh_config").write_text(
        f"{aliases}Host *\n  User root\n  IdentityFile {folder}/id_ed25519\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {folder}/known_hosts\n  StrictHostKeyChecking yes\n"
    )


def _wait_for_banners(hosts: list[LabHost], within_s: float) -> None:
    end = time.monotonic() + within_s
    for host in hosts:
        while not _has_banner(host):
            if time.monotonic() > end:
                console = host.console.read_text(errors="replace").strip()
                raise LabError(f"{host.name} does not answer within {within_s} s; its console:\n{console}")
            time.sleep(TRIES_EVERY_S)


def _has_banner(host: LabHost) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host.address, host.port), 0.5) as connection:
        connection.settimeout(5)
        return connection.recv(4) == b"SSH-"
    return False
