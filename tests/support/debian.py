"""Debian's own packages for tests, without starting what they bring."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

_POLICY = Path("/usr/sbin/policy-rc.d")


def program(name: str, package: str) -> str:
    """Return the path of a program, and install its package when it is absent and that is allowed."""
    path = _find(name)
    if path is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(package)
        path = _find(name)
    if path is None:
        raise RuntimeError(f"{name} is needed for these tests: run `apt-get install {package}` as root")
    return path


def _find(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _install(package: str) -> None:
    ours = not _POLICY.exists()
    if ours:
        _POLICY.write_text("#!/bin/sh\nexit 101\n")  # 101: no maintainer script may start a service
        _POLICY.chmod(0o755)
    apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        install = [*apt, "install", "--no-install-recommends", package]
        if subprocess.run(install, env=env, capture_output=True, check=False).returncode != 0:
            subprocess.run([*apt, "update"], env=env, capture_output=True, check=False)
            done = subprocess.run(install, env=env, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise RuntimeError(f"cannot install {package}: {done.stderr.strip()[-500:]}")
    finally:
        if ours:
            _POLICY.unlink(missing_ok=True)
