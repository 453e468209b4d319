from __future__ import annotations

from pathlib import Path

from reconciler.cli.contracts import CONTRACTS
from reconciler.cli.reference import reference
from reconciler.cli.schema import all_schemas
from tests.cli.conftest import CASES, ROOT, Call, conforms, lines


def test_schemas_are_those_of_the_code():
    kept = {path.name: path.read_text() for path in (ROOT / "schemas").glob("*.json")}
    assert all_schemas() == kept, "run make generate"


def test_export_writes_them_all(call: Call, tmp_path: Path):
    assert call("schema", "export", tmp_path / "out").exit_code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(all_schemas())
    assert call("schema", "export").stdout.split() == list(all_schemas())


def test_a_folder_that_cannot_be_written_is_an_error(call: Call, tmp_path: Path):
    (tmp_path / "file").write_text("")
    found = call("schema", "export", tmp_path / "file")
    assert found.exit_code == 1
    assert found.stderr.startswith("error: ")


def test_recorded_observations_conform():
    for path in (CASES / "observed").glob("*.json"):
        conforms("observe", path.read_text())


def test_every_verb_has_a_short_help(call: Call):
    help_text = call("--help").stdout
    assert not any(line.endswith("...") for line in lines(help_text)[1:])
    assert call("--version").stdout.startswith("reconciler ")
    assert call().exit_code == 2


def test_a_verb_that_is_none_is_a_usage_error(call: Call):
    found = call("rote")
    assert found.exit_code == 2
    assert "route" in found.stderr


def test_the_reference_is_that_of_the_verbs():
    kept = (ROOT / "docs/reference/cli.md").read_text()
    assert reference() == kept, "run make generate"


def test_the_page_on_json_names_every_contract():
    page = (ROOT / "docs/reference/json.md").read_text()
    for name in CONTRACTS:
        assert f"schemas/{name}.json" in page
