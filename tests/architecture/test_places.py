"""Nothing here knows the machine it was made on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PLACE = re.compile(r"(?<![\w$}])/(root|work)" + "/")
HIDDEN = {".ci", ".gitignore", ".pre-commit-config.yaml", ".pre-commit-hooks.yaml"}  # other hidden entries are not ours


def entries() -> list[Path]:
    made = {"dist", "build"}
    return sorted(
        path for path in ROOT.iterdir() if path.name in HIDDEN or (path.name[0] != "." and path.name not in made)
    )


def files(entry: Path) -> list[Path]:
    if entry.is_file():
        return [entry]
    return [path for path in entry.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_no_file_names_a_place_of_one_machine(entry: Path) -> None:
    found = []
    for path in files(entry):
        text = path.read_bytes().decode("utf-8", "replace")
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in PLACE.finditer(text)]
    assert found == []
