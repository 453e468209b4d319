"""What is fuzzed: whatever comes in from outside must come out as a value or as an error of ours, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from reconciler.adapters.git_tree import odd_name, shown
from reconciler.desired import Problems
from reconciler.domain.chain import Break, from_lines
from reconciler.domain.dburl import parse_url
from reconciler.domain.desired import Desired
from reconciler.domain.observation import Absent, Known, Unknown
from reconciler.domain.outcome import Done, Exited, Failed, Lost
from reconciler.execution.read import read_files
from reconciler.observers import observers, read_report
from reconciler.ports import Answer, Question
from reconciler.steps import Evidence, kinds
from tests.fuzz.outside_targets import OUTSIDE

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SEPARATOR = b"\n--- FILE "
"""Before each file but the first of a fuzzed desired state; the rest of that line is its path."""

COLUMNS = ("seq", "at", "kind", "group", "run", "step", "body", "prev", "hash")

Target = Callable[[bytes], None]


def desired(data: bytes) -> None:
    """Read a desired state; several files stand one after the other."""
    first, *others = data.split(SEPARATOR)
    files = {"fleet.yaml": first}
    for each in others:
        name, _, content = each.partition(b"\n")
        files[name.decode("utf-8", "replace")] = content
    found = read_files(files)
    assert isinstance(found, Desired | Problems)
    if isinstance(found, Problems):
        assert all(each.line >= 0 and "\n" not in each.what for each in found.items)


def observed(data: bytes) -> None:
    """Read what a host says; the first byte chooses who asked."""
    if not data:
        return
    names = sorted(observers())
    question = Question(names[data[0] % len(names)], "", ("keystone", "nova", "*"))
    report = read_report([question], {question.key: Answer(code=0, output=data[1:])}, NOW)
    for part in (report.packages, report.environments, report.units, report.configs, report.containers):
        assert all(isinstance(each, Known | Absent | Unknown) for each in part.values())


def judged(data: bytes) -> None:
    """Judge a step's end: the first line is KIND/CASE CODE, what else stands there chooses by itself."""
    head, _, rest = data.partition(b"\n")
    name, _, code = head.decode("utf-8", "replace").partition(" ")
    known = sorted(_steps())
    kind, args = _steps()[name] if name in _steps() else _steps()[known[sum(head) % len(known)]]
    output = rest.decode("utf-8", "replace")
    lines = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    outcome = kinds()[kind].judge(
        args, Evidence(exited=Exited(int(code) if re.fullmatch("[0-9]{1,3}", code, re.ASCII) else 0, output, lines))
    )
    assert isinstance(outcome, Done | Failed | Lost)


def journal(data: bytes) -> None:
    """Read stored entries, a JSON object to a line; a store has all columns, with whatever in them."""
    lines = []
    for text in data.splitlines():
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            lines.append({column: found.get(column, "") for column in COLUMNS})
    found = from_lines(lines)
    assert isinstance(found, Break | list | tuple)


def names(data: bytes) -> None:
    """Read the names of files in git."""
    said = odd_name(data)
    assert isinstance(said, str)
    text = shown(data.decode("utf-8", "replace"))
    assert text.isprintable()


def urls(data: bytes) -> None:
    """Read the URL of a database."""
    try:
        parse_url(data.decode("utf-8", "replace"))
    except ValueError as error:
        assert str(error)  # noqa: PT017 - that it says why is all there is to know


TARGETS: Mapping[str, Target] = {
    **{each.__name__: each for each in (desired, observed, judged, journal, names, urls)},
    **OUTSIDE,
}


@cache
def _steps() -> Mapping[str, tuple[str, Any]]:
    """Return step kinds with arguments, from their cases."""
    found = {}
    for path in sorted((ROOT / "tests/cases/steps").glob("*/*.json")):
        kind = path.parent.name
        found[f"{kind}/{path.stem}"] = kind, kinds()[kind].Model.model_validate(json.loads(path.read_text())["args"])
    return found
