"""Every folder of tests/cases/desired is read; `expected.txt` holds the exact messages, or what it resolves to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from pathlib import Path

import pytest

from reconciler.desired import Problems
from reconciler.domain.desired import Desired
from tests.desired.reading import BUILT_IN, CASES, files_of, read


def summary(value: object) -> object:
    """What a value says beyond its defaults."""
    if is_dataclass(value):
        shown = [each for each in fields(value) if getattr(value, each.name) != _default(each)]
        return {each.name: summary(getattr(value, each.name)) for each in shown}
    if isinstance(value, Mapping):
        return {name: summary(each) for name, each in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple | list):
        return [summary(each) for each in value]
    return value if isinstance(value, bool | int | float) else str(value)


def _default(field: Field[object]) -> object:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def resolved(desired: Desired) -> str:
    own = {name: each for name, each in desired.procedures.items() if f"{name}.yaml" not in BUILT_IN}
    return json.dumps(summary(replace(desired, procedures=own, origins={})), indent=1, ensure_ascii=False) + "\n"


def cases(kind: str) -> list[Path]:
    return sorted((CASES / kind).iterdir())


@pytest.mark.parametrize("folder", cases("refused"), ids=lambda folder: folder.name)
def test_refuses(folder: Path) -> None:
    problems = read(files_of(folder))
    assert isinstance(problems, Problems)
    assert f"{problems}\n" == (folder / "expected.txt").read_text()


@pytest.mark.parametrize("folder", cases("accepted"), ids=lambda folder: folder.name)
def test_accepts(folder: Path) -> None:
    desired = read(files_of(folder))
    assert isinstance(desired, Desired), str(desired)
    assert resolved(desired) == (folder / "expected.txt").read_text()


@pytest.mark.parametrize("folder", cases("refused"), ids=lambda folder: folder.name)
def test_never_repeats_a_secret(folder: Path) -> None:
    assert "hunter2" not in str(read(files_of(folder)))
