"""Scripts of steps run for real, in one shell: it is the tools that are asked here."""

from pathlib import Path

import pytest

from tests.support.sandbox import Sandbox


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    (tmp_path / "tools").mkdir()
    (tmp_path / "state").mkdir()
    return Sandbox(tmp_path, ["/bin/sh"])
