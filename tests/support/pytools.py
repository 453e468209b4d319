"""Python tools that steps call on hosts, each in an environment of its own that outlives the tests."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import subprocess
import sys
from pathlib import Path


@functools.cache
def environment(*requirements: str) -> Path:
    """Return a virtual environment with these, made on first use; it lies below `$XDG_CACHE_HOME` or `~/.cache`."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reconciler-tools"
    base.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(repr((sys.version_info[:2], requirements)).encode()).hexdigest()[:16]
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (base / name / "complete").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", base / name], check=True)
            pip = [base / name / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
            subprocess.run([*pip, *requirements], check=True)
            (base / name / "complete").touch()
    return base / name


def openstack() -> Path:
    """Return an environment with the `openstack` command line, and oslo.config with it."""
    return environment("python-openstackclient>=7", "oslo.config>=9")
