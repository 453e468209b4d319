"""Every file of tests/cases/step_outputs: what tools print when something is wrong, and how the step is judged.

`of` names the case of the kind whose arguments are taken; `args` are others in their place.
"""

import json
from pathlib import Path

import pytest

from reconciler.domain.outcome import Exited
from reconciler.steps import Evidence, kinds
from tests.steps.test_cases import told

CASES = sorted((Path(__file__).parent.parent / "cases" / "step_outputs").glob("*/*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_case(path):
    case = json.loads(path.read_text())
    kind = kinds()[path.parent.name]
    of = path.parents[2] / "steps" / path.parent.name / f"{case['of']}.json"
    args = kind.Model.model_validate(json.loads(of.read_text())["args"] | case.get("args", {}))
    exited = Exited(**case["exited"])
    assert told(kind.judge(args, Evidence(exited=exited))) == case["outcome"]
