"""Units and containers over a row of questions, each folder of tests/cases/probes by its own: what is seen, and the verdict."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from reconciler.domain.health import judge_container, judge_unit
from reconciler.domain.observation import Absent, Container, HostReport, Known, Observed, Unit, Unknown
from reconciler.domain.outcome import Done, Failed, Lost, Sample
from reconciler.domain.probe import ContainerProbe, UnitProbe
from reconciler.steps import Timed
from reconciler.steps._sampling import verdict

CASES = sorted((Path(__file__).parent.parent / "cases" / "probes").glob("*.json"))
AT = datetime(2026, 1, 2, tzinfo=UTC)
WORDS = {Done: "done", Failed: "failed", Lost: "lost", type(None): "more"}


def observed(seen: Any, kind: type[Any]) -> Observed[Any]:
    match seen:
        case "absent":
            return Absent(AT)
        case str(text):
            return Unknown("HostUnreachable", text, AT)
    return Known(TypeAdapter(kind).validate_python(seen), AT)


def sample(probe: UnitProbe | ContainerProbe, seen: Any) -> Sample:
    if isinstance(probe, UnitProbe):
        return judge_unit(probe, HostReport(facts=Absent(AT), units={probe.unit: observed(seen, Unit)}))
    found = {"*": Absent(AT), probe.container: observed(seen, Container)}
    return judge_container(probe, HostReport(facts=Absent(AT), containers=found))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path):
    case = json.loads(path.read_text())
    kind: type[UnitProbe | ContainerProbe] = UnitProbe if "unit" in case["probe"] else ContainerProbe
    probe = TypeAdapter(kind).validate_python({"name": "p", **case["probe"]})
    taken = [Timed(elapsed, sample(probe, seen)) for elapsed, seen in case["seen"]]
    found = verdict(probe, taken, "on h")
    assert WORDS[type(found)] == case["verdict"]
    assert case["says"] in (found.text if found else taken[-1].sample.text)
