"""The source over HTTPS: a server whose certificate is not trusted is not followed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.adapters.git import GitSource
from reconciler.domain.reasons import Reason
from tests.support.githttps import git_https

pytestmark = pytest.mark.integration

# Whom to trust is read once by a process, at its start; so the question is asked by one of its own.
ASK = """
import asyncio, sys
from pathlib import Path
from reconciler.adapters.git import GitSource
state = asyncio.run(GitSource(sys.argv[1], "main", Path(sys.argv[2])).latest(""))
print(state.problem or sorted(state.revision.files))
"""


@pytest.fixture
def repositories(tmp_path: Path) -> Path:
    """Return a folder with the bare repository `desired.git`, one commit on main."""
    work, served = tmp_path / "work", tmp_path / "served"
    author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", "init", "-q", "-b", "main", work], check=True)
    (work / "fleet.yaml").write_text("fleet: {name: demo}\n")
    subprocess.run(["git", "-C", work, "add", "-A"], check=True)
    subprocess.run(["git", "-C", work, *author, "commit", "-qm", "one"], check=True)
    subprocess.run(["git", "clone", "-q", "--bare", work, served / "desired.git"], check=True)
    return served


def test_a_certificate_that_is_not_trusted_is_refused(repositories: Path, tmp_path: Path) -> None:
    with git_https(repositories, tmp_path) as (url, _):
        state = asyncio.run(GitSource(f"{url}/desired.git", "main", tmp_path / "mirror").latest(""))
    assert state.revision is None
    assert state.problem == Reason.SOURCE_UNREACHABLE
    assert "certificate" in state.text


def test_a_trusted_server_is_followed(repositories: Path, tmp_path: Path) -> None:
    with git_https(repositories, tmp_path) as (url, certificate):
        command = [sys.executable, "-c", ASK, f"{url}/desired.git", tmp_path / "mirror"]
        environ = os.environ | {"SSL_CERT_FILE": str(certificate)}
        asked = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=60)
    assert asked.stdout == "['fleet.yaml']\n"
