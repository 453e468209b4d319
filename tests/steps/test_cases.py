"""Every step kind against its case files: arguments, what is rendered of them, and how evidence is judged."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from reconciler.domain.comparison import Comparison
from reconciler.domain.effect import (
    Ask,
    AskDns,
    AskFingerprint,
    AskHost,
    AskHttp,
    AskMarker,
    AskProbe,
    AskRows,
    AskSoak,
    AskStructure,
    HostScript,
    UpdateDns,
)
from reconciler.domain.observation import Absent, HostReport, Known, Unknown
from reconciler.domain.outcome import Done, Exited, Failed, Lost, Outcome, Sample
from reconciler.domain.plan import Step
from reconciler.domain.procedure import Phase
from reconciler.domain.row_probe import Rows
from reconciler.domain.schema import SchemaMarker
from reconciler.planning.account import account_of
from reconciler.steps import Answered, Evidence, Timed, _mariadb, _sqlite, direct_kinds, kinds

CASES = sorted((Path(__file__).parent.parent / "cases" / "steps").glob("*/*.json"))
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
VALUES = {
    AskDns: tuple[str, ...],
    AskMarker: SchemaMarker,
    AskStructure: Comparison,
    AskFingerprint: str,
    AskRows: Rows,
    AskHost: HostReport,
}


def answered(ask: Ask, case: dict[str, object]) -> Answered:
    """Read one answer of a case: samples, known, absent or unknown."""
    match case:
        case {"soaked": list(each)}:
            assert isinstance(ask, AskSoak)
            return tuple(tuple(Timed(elapsed, Sample(ok, text)) for elapsed, ok, text in taken) for taken in each)
        case {"samples": list(samples)}:
            assert isinstance(ask, AskHttp | AskProbe)
            return tuple(Timed(elapsed, Sample(ok, text)) for elapsed, ok, text in samples)
        case {"known": value}:
            return Known(TypeAdapter(VALUES[type(ask)]).validate_python(value), NOW)
        case {"unknown": [reason, text]}:
            return Unknown(reason, text, NOW)
    return Absent(NOW)


def told(outcome: Outcome) -> dict[str, object]:
    """Write an outcome as cases do."""
    match outcome:
        case Done(values, text):
            return {"done": dict(values), "text": text}
        case Failed(reason, text, hint):
            return {"failed": reason, "text": text, "hint": hint}
        case Lost(reason, text):
            return {"lost": reason, "text": text}


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_case(path: Path) -> None:
    case = json.loads(path.read_text())
    kind = kinds()[path.parent.name]
    args = kind.Model.model_validate(case["args"])
    assert kind.Model.model_validate_json(args.model_dump_json()) == args
    script = kind.effect(args)
    if case["script"] is None:
        assert not isinstance(script, HostScript)
    else:
        assert isinstance(script, HostScript)
        assert {"args": list(script.args), "env": dict(script.env), "secrets": dict(script.secrets)} == case["script"]
    if isinstance(script, UpdateDns):
        assert json.loads(json.dumps(asdict(script))) == case["change"]
    assert list(kind.shows(args)) == case["shows"]
    assert not any("\n" in line for line in kind.shows(args))
    account = account_of(
        Step(id="x", kind=path.parent.name, phase=Phase.ROLL, service="x", title="x", args=case["args"])
    )
    assert account.proved_by
    assert not any("\n" in line for line in account.proved_by)
    if direct := direct_kinds().get(path.parent.name):
        undo = direct.undo(args)
        assert direct.title(args) == case["title"]
        assert (None if undo is None else asdict(undo)) == (case["undo"] and {"also": (), **case["undo"]})
        assert undo is None or kinds()[undo.kind].Model.model_validate(undo.args)
    asks = kind.proofs(args)
    assert [type(ask).__name__ for ask in asks] == case["proofs"]
    for one in case["judged"]:
        exited = Exited(**one["exited"]) if "exited" in one else None
        acted = Sample(*one["acted"]) if "acted" in one else None
        answers = {ask: answered(ask, answer) for ask, answer in zip(asks, one.get("answers", []), strict=False)}
        assert told(kind.judge(args, Evidence(exited, acted, answers))) == one["outcome"]


@pytest.mark.parametrize("name", sorted({path.parent.name for path in CASES}))
def test_a_script_is_fixed_text(name: str) -> None:
    kind = kinds()[name]
    modules = (_sqlite, _mariadb, *kinds().values())
    bodies = {text for module in modules for name, text in vars(module).items() if name.endswith("BODY")}
    for path in (path for path in CASES if path.parent.name == name):
        args = json.loads(path.read_text())["args"]
        script = kind.effect(kind.Model.model_validate(args))
        if isinstance(script, HostScript):
            assert script.body in bodies
