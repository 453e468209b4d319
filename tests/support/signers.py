"""Keys that sign commits: made-up ones for what is pure, and real ones of ssh-keygen."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

from tests.support.debian import program


def key(name: str) -> bytes:
    """Return a made-up public key, as it goes over the wire; nobody can sign with it."""
    return b"\0\0\0\x0bssh-ed25519" + name.encode()


def line(name: str, public: bytes | str = "", options: str = 'namespaces="git"') -> str:
    """Write a line of `allowed_signers`; `public` is a made-up key, or the text of a real one."""
    text = public if isinstance(public, str) and public else _text(public or key(name))
    return " ".join(filter(None, [f"{name}@example.org", options, text])) + "\n"


def lines(*names: str) -> bytes:
    """Write a whole file for made-up keys."""
    return "".join(map(line, names)).encode()


def _text(public: bytes | str) -> str:
    assert isinstance(public, bytes)
    return "ssh-ed25519 " + base64.b64encode(public).decode()


def real_key(path: Path, kind: str = "ed25519") -> str:
    """Make a key pair and return the public half without its comment."""
    program("ssh-keygen", "openssh-client")
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", str(path)], check=True)
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


def ssh_sign(private: Path, data: bytes, *, namespace: str = "git") -> bytes:
    """Sign bytes as `ssh-keygen -Y sign` does."""
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(private)]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout
