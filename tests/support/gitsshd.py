"""A real sshd on loopback through which a git repository is served."""

from __future__ import annotations

import getpass
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.debian import program
from tests.support.net import await_port, free_port


@dataclass(frozen=True)
class GitSshd:
    port: int
    client_key: Path
    host_key: str  # "ssh-ed25519 AAAA..."

    def url(self, repository: Path) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{repository}"

    def known_hosts(self, key: str) -> str:
        return f"[127.0.0.1]:{self.port} {key}\n"


def make_key(path: Path) -> str:
    """Make an ed25519 key pair and return the public half without its comment."""
    program("ssh-keygen", "openssh-client")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


@contextmanager
def git_sshd(folder: Path) -> Iterator[GitSshd]:
    sshd = program("sshd", "openssh-server")
    folder.mkdir()
    host_key = make_key(folder / "host")
    (folder / "authorized_keys").write_text(make_key(folder / "client") + "\n")
    port = free_port()
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
    )
    if getpass.getuser() == "root":
        Path("/run/sshd").mkdir(exist_ok=True)
    with (folder / "log").open("wb") as log:
        daemon = subprocess.Popen([sshd, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log)
    try:
        await_port(port)
        yield GitSshd(port, folder / "client", host_key)
    finally:
        daemon.terminate()
        daemon.wait(10)
