"""Pinned host keys: a known_hosts file of our own, read strictly and changed only by `enrol`."""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

import asyncssh
from asyncssh.public_key import get_default_public_key_algs

from reconciler.errors import SettingsError


@dataclass(frozen=True, slots=True)
class HostKey:
    """The key a host shows: `fingerprint` as `ssh-keygen -l` prints it, `line` as it stands in known_hosts."""

    address: str
    port: int
    algorithm: str
    fingerprint: str
    line: str


class Pinned(StrEnum):
    """What pinning a key came to; DIFFERS: another key is pinned and nothing was changed."""

    ADDED = "added"
    SAME = "same"
    REPLACED = "replaced"
    DIFFERS = "differs"


async def scan(address: str, port: int = 22, timeout_s: float = 10.0) -> HostKey:
    """Fetch the key a host shows, trusting nothing; raises OSError, TimeoutError or asyncssh.Error."""
    async with asyncio.timeout(timeout_s):
        key = await asyncssh.get_server_host_key(address, port, config=None)
    if key is None:
        raise ConnectionError(f"{address} port {port} shows no host key")
    return _host_key(address, port, key)


def pinned(file: Path, address: str, port: int = 22) -> tuple[HostKey, ...]:
    """Return the keys pinned for a host; a missing or empty file pins nothing."""
    return tuple(_host_key(address, port, key) for key in trusted(file, address, port)[0])


def pin(file: Path, key: HostKey, *, replace: bool = False) -> Pinned:
    """Write a key into the file, atomically; a host's other keys go only when `replace` is said."""
    known = pinned(file, key.address, key.port)
    if any(other.fingerprint == key.fingerprint for other in known) and (len(known) == 1 or not replace):
        return Pinned.SAME
    if known and not replace:
        return Pinned.DIFFERS
    lines = [line for line in _read(file).splitlines() if not _speaks_of(line, key)]
    _write(file, "\n".join([*lines, key.line]) + "\n")
    return Pinned.REPLACED if known else Pinned.ADDED


def trusted(file: Path, address: str, port: int) -> tuple[Any, ...]:
    """Return what asyncssh takes as `known_hosts` for one host: its keys, certificate authorities, revoked keys, ...

    Raises SettingsError when the file holds a line that is no known_hosts line.
    """
    try:
        return tuple(asyncssh.match_known_hosts(_parsed(file, _stamp(file)), address, "", port))
    except ValueError as error:
        raise SettingsError(
            f"{file}: {error}", reason="HostKeyUnknown", hint="Mend the line, or pin the host with `reconciler enrol`."
        ) from error


def offered(keys: tuple[Any, ...]) -> list[str] | str:
    """Order the host key algorithms: the pinned ones first, then the rest, so that a host with a new key shows it.

    Were only the pinned ones offered, such a host would hang up before, and look like one that is not there.
    """
    if keys[1]:
        return "default"
    usual = get_default_public_key_algs()
    pinned = [algorithm for key in keys[0] for algorithm in key.sig_algorithms if algorithm in usual]
    return list(dict.fromkeys(algorithm.decode() for algorithm in [*pinned, *usual]))


@lru_cache(maxsize=4)
def _parsed(file: Path, stamp: tuple[int, ...]) -> asyncssh.SSHKnownHosts:
    """Parse the file once per content: a fleet's file takes longer to read than a host to reach."""
    return asyncssh.import_known_hosts(_read(file))


def _stamp(file: Path) -> tuple[int, ...]:
    try:
        stat = file.stat()
    except FileNotFoundError:
        return ()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except FileNotFoundError:
        return ""


def _speaks_of(line: str, key: HostKey) -> bool:
    """Tell whether a line pins a plain key for just this host; authorities, revocations and comments stay."""
    if not line.strip() or line.lstrip().startswith(("#", "@")):
        return False
    return bool(asyncssh.match_known_hosts(line.encode(), key.address, "", key.port)[0])


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix=f".{file.name}.", delete=False) as new:
        try:
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
            Path(new.name).chmod(0o644)
            Path(new.name).replace(file)
        except BaseException:
            Path(new.name).unlink(missing_ok=True)
            raise


def _host_key(address: str, port: int, key: asyncssh.SSHKey) -> HostKey:
    name = address if port == 22 else f"[{address}]:{port}"
    algorithm, text = key.export_public_key().decode().split()[:2]
    return HostKey(address, port, algorithm, key.get_fingerprint(), f"{name} {algorithm} {text}")
