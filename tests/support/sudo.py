"""A real sshd whose one user is unprivileged, with real sudo; users and sudoers exist in its mount namespace only."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.domain.desired import Host, Login
from tests.support.debian import program
from tests.support.sshd import Sshd, start_sshd

USER = "ada"
_ID = 61000
_FILES = {
    "passwd": f"root:x:0:0::/root:/bin/sh\nsshd:x:60999:65534::/run/sshd:/usr/sbin/nologin\n{USER}:x:{_ID}:{_ID}::/:/bin/sh\n",
    "group": f"root:x:0:\nsudo:x:27:\nshadow:x:42:\ntty:x:5:\n{USER}:x:{_ID}:\n",
    "shadow": f"root:*:20000::::::\nsshd:*:20000::::::\n{USER}:*:20000::::::\n",
    "sudoers": "",
}


@dataclass
class SudoHost:
    """A host that `ada` enters; `allow` rewrites its sudoers."""

    sshd: Sshd

    @property
    def host(self) -> Host:
        return dataclasses.replace(self.sshd.host(), login=Login(user=USER, become="sudo"))

    def allow(self, sudoers: str) -> None:
        text = f'Defaults env_reset, secure_path="/usr/sbin:/usr/bin:/sbin:/bin"\n{sudoers}'
        (self.sshd.folder / "etc" / "sudoers").write_text(text)

    def authorize(self, options: str) -> None:
        """Put options of authorized_keys before the user's key."""
        key = (self.sshd.folder / "client_key.pub").read_text()
        (self.sshd.folder / "authorized_keys").write_text(f"{options} {key}")


@contextlib.contextmanager
def sudo_host() -> Iterator[SudoHost]:
    """Start the host; the caller must be root. Its folder is open to all, for sshd reads the user's key as the user."""
    program("sudo", "sudo")
    folder = Path(tempfile.mkdtemp(prefix="reconciler-sudo-"))
    folder.chmod(0o755)
    (folder / "etc").mkdir()
    for name, text in _FILES.items():
        (folder / "etc" / name).write_text(text)
        (folder / "etc" / name).chmod(0o440 if name == "sudoers" else 0o600 if name == "shadow" else 0o644)
    mounts = "".join(f"mount --bind {folder}/etc/{name} /etc/{name} && " for name in _FILES)
    within = ("unshare", "--mount", "--propagation=private", "sh", "-c", f'{mounts}exec "$@"', "sh")
    try:
        server = start_sshd(folder, within=within)
        try:
            yield SudoHost(server)
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)
