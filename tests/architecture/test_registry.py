"""The folder is the registry: a step kind or an observer is its file, its cases and its entry in the reference."""

import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

from reconciler.desired.checks import RISKS
from reconciler.desired.probe_model import KINDS
from reconciler.domain.halting import HALTING
from reconciler.gates import gates
from reconciler.observers import observers
from reconciler.steps import Args, Where, direct_kinds, kinds

ROOT = Path(__file__).parent.parent.parent


def takes(module: ModuleType, function: str, count: int) -> None:
    assert len(inspect.signature(getattr(module, function)).parameters) == count


def documented(page: str) -> list[str]:
    lines = (ROOT / "docs" / "reference" / page).read_text().splitlines()
    return [line.removeprefix("## `").removesuffix("`") for line in lines if line.startswith("## `")]


@pytest.mark.parametrize("name", kinds())
def test_a_step_kind_offers_what_the_protocol_says(name: str) -> None:
    kind = kinds()[name]
    assert isinstance(kind, ModuleType)
    assert name == kind.KIND
    assert isinstance(kind.TIMEOUT_S, float)
    assert isinstance(kind.REPEATABLE, bool)
    assert isinstance(kind.INTERRUPTIBLE, bool)
    assert issubclass(kind.Model, Args)
    for function, count in (("effect", 1), ("proofs", 1), ("judge", 2), ("shows", 1)):
        takes(kind, function, count)
    assert list((ROOT / "tests" / "cases" / "steps" / name).glob("*.json")), "a step kind needs cases"


def test_direct_kinds_offer_what_a_procedure_needs() -> None:
    for kind in direct_kinds().values():
        assert isinstance(kind, ModuleType)
        assert kind.WHERE in get_args(Where)
        for function in ("title", "undo"):
            takes(kind, function, 1)


def test_only_direct_kinds_have_an_undo_and_a_place() -> None:
    half = [name for name, kind in kinds().items() if hasattr(kind, "undo") or hasattr(kind, "WHERE")]
    assert half == list(direct_kinds())


@pytest.mark.parametrize("name", observers())
def test_an_observer_offers_what_the_protocol_says(name: str) -> None:
    observer = observers()[name]
    assert isinstance(observer, ModuleType)
    for function, count in (("questions", 2), ("subjects", 1), ("parse", 2)):
        takes(observer, function, count)
    assert list((ROOT / "tests" / "cases" / "observers" / name).glob("*.json")), "an observer needs cases"


def test_every_observer_has_its_place_in_a_report() -> None:
    fields = [observer.FIELD for observer in observers().values()]
    assert sorted(set(fields)) == ["configs", "containers", "environments", "facts", "packages", "units"]


@pytest.mark.parametrize("name", gates())
def test_a_gate_offers_what_the_protocol_says(name: str) -> None:
    gate = gates()[name]
    assert isinstance(gate, ModuleType)
    assert name == gate.NAME
    takes(gate, "judge", 1)
    assert (ROOT / "tests" / "gates" / f"test_{name}.py").exists()
    assert name in RISKS, "an accept in git may waive it"


def test_the_reference_names_them_all_in_order() -> None:
    assert list(kinds()) == documented("steps.md")
    assert list(gates()) == documented("gates.md")
    assert list(observers()) == documented("observers.md")
    assert list(KINDS) == documented("probes.md")


def test_there_are_no_cases_of_what_does_not_exist() -> None:
    cases = ROOT / "tests" / "cases"
    assert {path.name for path in (cases / "steps").iterdir()} == set(kinds())
    assert {path.name for path in (cases / "observers").iterdir()} == set(observers())


def test_every_reason_of_a_halt_has_a_section_of_its_own() -> None:
    page = (ROOT / "docs" / "reference" / "halts.md").read_text()
    sections = re.findall(r"^## ([A-Z][A-Za-z]+)$", page, re.MULTILINE)
    assert sorted(sections) == sorted(HALTING)
