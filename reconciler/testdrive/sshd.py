"""A real OpenSSH server run by an ordinary user on loopback, from a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from reconciler.errors import ReconcilerError

SBIN = "/usr/sbin:/sbin:/usr/local/sbin"  # Debian keeps them out of an ordinary user's PATH
PACKAGES = ("openssh-server",)
LIBRARY_PACKAGES = ("libwrap0", "libnsl2", "libtirpc3")  # what openssh-server has beyond a minimal Debian 12


class SshdError(ReconcilerError):
    """No OpenSSH server could be found or fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One host's server: its folder, its port, the public key that may log in, what sessions find set."""

    folder: Path
    port: int
    authorized_key: str
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        """Name the configuration file."""
        return self.folder / "sshd_config"

    @property
    def public_host_key(self) -> str:
        """Read the key that clients pin, as `TYPE BASE64`."""
        return " ".join((self.folder / "host_key.pub").read_text().split()[:2])


def find_sshd(cache: Path) -> Path:
    """Return the installed sshd, else one fetched with apt-get and unpacked into `cache`; needs no root."""
    installed = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:{SBIN}")
    if installed:
        return Path(installed)
    if os.geteuid() == 0:
        raise SshdError(
            "openssh-server is not installed, and as root it cannot be run from a folder (it wants the user `sshd`)",
            reason="SshdMissing",
            hint="apt-get install openssh-server, or start as an ordinary user",
        )
    launcher = cache / "sshd"
    if not launcher.exists():
        if shutil.which("apt-get") is None:
            raise SshdError(
                "openssh-server is not installed", reason="SshdMissing", hint="install it, then start again"
            )
        _fetch(cache, launcher)
    return launcher


def write_config(host: Host) -> Path:
    """Write host key, authorized key and sshd_config into the host's folder; an existing host key is kept."""
    host.folder.mkdir(parents=True, exist_ok=True)
    key = host.folder / "host_key"
    if not key.exists():
        made = asyncssh.generate_private_key("ssh-ed25519", comment="testdrive")
        key.touch(mode=0o600)
        key.write_bytes(made.export_private_key())
        key.with_suffix(".pub").write_bytes(made.export_public_key())
    (host.folder / "authorized_keys").write_text(host.authorized_key.strip() + "\n")
    host.config.write_text(config_text(host, use_pam=_is_locked_root()))
    return host.config


def config_text(host: Host, *, use_pam: bool = False) -> str:
    """Write sshd_config: loopback, keys only, one user, sessions enough for a fleet's pace."""
    words = " ".join(f'"{name}={value}"' for name, value in host.environment.items())
    return f"""\
Port {host.port}
ListenAddress 127.0.0.1
HostKey "{host.folder}/host_key"
PidFile "{host.folder}/sshd.pid"
AuthorizedKeysFile "{host.folder}/authorized_keys"
StrictModes no
UsePAM {"yes" if use_pam else "no"}
AuthenticationMethods publickey
AllowUsers {user()}
PermitRootLogin prohibit-password
PermitUserRC no
UseDNS no
PrintMotd no
MaxSessions 64
MaxStartups 64
""" + (f"SetEnv {words}\n" if words else "")


def command(sshd: Path, host: Host) -> tuple[str, ...]:
    """Give the command line of a server in the foreground; sshd starts itself again, so its path is absolute."""
    return (str(sshd.resolve()), "-D", "-e", "-f", str(host.config))


def start(sshd: Path, host: Host) -> subprocess.Popen[bytes]:
    """Start the server in a session of its own; what it says goes to sshd.log in the host's folder."""
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # asked for only when root runs it
    with (host.folder / "sshd.log").open("ab") as log:
        return subprocess.Popen(
            command(sshd, host), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def user() -> str:
    """Name the user who runs the server, the only one who can log in."""
    return pwd.getpwuid(os.geteuid()).pw_name


def _fetch(cache: Path, launcher: Path) -> None:
    """Unpack the server, and those of its libraries that the machine lacks, behind a launcher."""
    _unpack(cache, PACKAGES)
    binary = cache / "root/usr/sbin/sshd"
    if "not found" in _run("ldd", str(binary)):
        _unpack(cache, LIBRARY_PACKAGES)
    folders = sorted({str(path.parent) for path in (cache / "root").rglob("*.so.*")})
    launcher.write_text(f'#!/bin/sh\nexport LD_LIBRARY_PATH="{":".join(folders)}"\nexec "{binary.resolve()}" "$@"\n')
    launcher.chmod(0o755)


def _unpack(cache: Path, packages: tuple[str, ...]) -> None:
    downloads = cache / "debs"
    downloads.mkdir(parents=True, exist_ok=True)
    _run("apt-get", "download", "-q", *packages, cwd=downloads)
    for deb in sorted(downloads.glob("*.deb")):
        _run("dpkg", "-x", str(deb), str(cache / "root"))


def _is_locked_root() -> bool:
    """Tell whether we are a root whose password is locked: without PAM, sshd turns such an account away."""
    if os.geteuid() != 0:
        return False
    entries = (line.split(":") for line in Path("/etc/shadow").read_text().splitlines())
    return any(entry[0] == "root" and entry[1].startswith("!") for entry in entries)


def _run(*argv: str, cwd: Path | None = None) -> str:
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SshdError(
            f"`{' '.join(argv)}` exited {done.returncode}: {done.stderr.strip()}",
            reason="SshdMissing",
            hint="let apt-get reach its mirror (apt-get update), or install openssh-server; then start again",
        )
    return done.stdout
