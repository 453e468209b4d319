"""Pythons older than the system's, which the code of old releases needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_PROOF = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"


class MissingInterpreterError(Exception):
    """No such Python could be found; nothing is skipped for it."""


@cache
def interpreter(version: str) -> str:
    """Return a Python of this version (`3.8`) that can make environments.

    Raises:
        MissingInterpreterError: there is none; the text says where it was looked for, and how to get one.
    """
    looked = []
    for candidate in _candidates(version):
        looked.append(candidate)
        if _is(candidate, version):
            return candidate
    raise MissingInterpreterError(
        f"Python {version} is needed to run the code of old releases, and was not found "
        f"(looked for {', '.join(looked) or f'python{version}'}). Install it with `pyenv install {version}` or "
        f"`uv python install {version}`; these tests are not skipped for its lack."
    )


def _candidates(version: str) -> Iterator[str]:
    if sys.version_info[:2] == tuple(int(part) for part in version.split(".")):
        yield sys.executable
    if on_path := shutil.which(f"python{version}"):
        yield on_path
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or home / ".local/share/uv/python")
    for folder, pattern in ((pyenv, f"{version}.*"), (uv, f"cpython-{version}.*")):
        yield from (str(each / f"bin/python{version}") for each in sorted(folder.glob(pattern), reverse=True))


def _is(program: str, version: str) -> bool:
    """Ask it: what stands in PATH may be a stand-in of pyenv that leads nowhere."""
    try:
        done = subprocess.run((program, "-c", _PROOF), capture_output=True, text=True, check=False, timeout=30)
    except OSError:
        return False
    return done.returncode == 0 and done.stdout.strip() == version
