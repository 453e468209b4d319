from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner, Result

from reconciler.cli import app

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests/cases/cli"
Call = Callable[..., Result]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run a verb as a person would type it; a traceback fails the test."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")  # of help and usage; results in a pipe have a width of their own
    monkeypatch.delenv("RECONCILER_CONFIG", raising=False)

    def run(*argv: str | Path, typed: str | None = None) -> Result:
        found = CliRunner().invoke(app, [str(arg) for arg in argv], input=typed)
        assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
        return found

    return run


def conforms(name: str, text: str) -> Any:
    """Parse what a verb printed and hold it against its schema."""
    value = json.loads(text)
    schema = json.loads((ROOT / f"schemas/{name}.json").read_text())
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)
    return value


def shown(path: Path, text: str) -> bool:
    """Tell whether a text is the one kept; with UPDATE_CASES=1 in the environment it becomes the one kept.

    A plan's id is the digest of all its inputs; it stands as ID here, and other tests are about it.
    """
    text = re.sub(r"\b[0-9a-f]{12}\b", "ID", text)
    if os.environ.get("UPDATE_CASES"):
        path.write_text(text)
    return text == path.read_text()


def lines(text: str) -> Sequence[str]:
    return text.splitlines()
