"""A real OpenSSH sshd on a loopback port, run from a folder of its own by whoever runs the tests."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from reconciler.adapters.ssh import SshSettings
from reconciler.domain.desired import Host, Login

SSHD = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin")


@dataclass
class Sshd:
    """One running server. `log` is sshd's own; `known_hosts` pins its key; `client_key` may log in."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    address: str = "127.0.0.1"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def client_key(self) -> Path:
        return self.folder / "client_key"

    @property
    def log(self) -> Path:
        return self.folder / "sshd.log"

    def host(self, name: str = "alpha", become: str = "none") -> Host:
        login = Login(user=getpass.getuser(), become=become)
        return Host(name=name, address=self.address, port=self.port, login=login, state_dir=str(self.folder / "state"))

    def settings(self, **overrides: object) -> SshSettings:
        values = {"known_hosts": self.known_hosts, "client_keys": (self.client_key,)} | overrides
        return SshSettings(**values)

    def sessions(self) -> list[int]:
        """Process ids of the server's connections."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(child) for child in children.split()]

    def cut(self) -> None:
        """Kill all connections as a power cut of the network would: the server itself goes on listening."""
        for session in self.sessions():
            for process in (*_descendants(session, "sshd"), session):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)

    def stop(self) -> None:
        self.cut()
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def running_sshd(folder: Path, extra: str = "") -> Iterator[Sshd]:
    """Start a server that speaks for `folder` until the end of the block."""
    server = start_sshd(folder, extra)
    try:
        yield server
    finally:
        server.stop()


def start_sshd(
    folder: Path, extra: str = "", port: int = 0, *, within: tuple[str, ...] = (), address: str = "127.0.0.1"
) -> Sshd:
    """Make keys and configuration, start the server and wait until it listens; `within` is put before its command.

    SetEnv gives sessions an empty ENV and BASH_ENV and their own HOME, so that no profile of the user is run: bash
    reads ~/.bashrc for commands over SSH, and what stands there is no part of a test.
    """
    assert SSHD, "sshd is not installed: apt-get install openssh-server"
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    home = folder / "home"
    home.mkdir(exist_ok=True)
    port = port or _free_port()
    for name in ("host_key", "client_key"):
        if not (folder / name).exists():
            key = asyncssh.generate_private_key("ssh-ed25519")
            key.write_private_key(folder / name)
            (folder / name).chmod(0o600)
            key.write_public_key(folder / f"{name}.pub")
    shutil.copy(folder / "client_key.pub", folder / "authorized_keys")
    (folder / "known_hosts").write_text(f"[{address}]:{port} {(folder / 'host_key.pub').read_text()}")
    config = folder / "sshd_config"
    config.write_text(f"""\
{extra}
ListenAddress {address}
Port {port}
HostKey {folder}/host_key
PidFile {folder}/sshd.pid
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
UseDNS no
PrintMotd no
SetEnv HOME={home} SHLVL=1
""")
    with (folder / "sshd.log").open("ab") as log:
        argv = [*within, SSHD, "-D", "-e", "-f", str(config)]
        process = subprocess.Popen(argv, stderr=log, stdin=subprocess.DEVNULL)
    _await_port(address, port, process)
    return Sshd(folder, port, process, address)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_port(address: str, port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(500):
        assert process.poll() is None, "sshd ended at once; see its log"
        with contextlib.suppress(OSError), socket.create_connection((address, port), 1):
            return
        time.sleep(0.01)
    raise AssertionError("sshd does not listen")


def _descendants(process: int, name: str) -> list[int]:
    found = []
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
            found += _descendants(int(child), name)
            if Path(f"/proc/{child}/comm").read_text().strip() == name:
                found.append(int(child))
    return found
