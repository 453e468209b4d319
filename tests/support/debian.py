"""Debian's own packages for tests, without starting what they bring."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

_INSTALL = Path(__file__).parent.parent.parent / "scripts" / "debian-packages.sh"


def program(name: str, package: str) -> str:
    """Return the path of a program, and install its package when it is absent and that is allowed."""
    path = _find(name)
    if path is None:
        done = subprocess.run([_INSTALL, f"{name}={package}"], capture_output=True, text=True, check=False)
        path = _find(name)
        if path is None:
            raise RuntimeError(f"{name} is needed for these tests: {done.stderr.strip()[-500:]}")
    return path


def package(name: str) -> None:
    """Install a package that brings no program of its own; one that somebody else installs just now is waited for."""
    subprocess.run([_INSTALL, name], capture_output=True, check=True)


def _find(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
