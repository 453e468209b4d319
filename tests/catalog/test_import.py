"""The converter that wrote the release lines, on a small survey."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

SCRIPT = Path(__file__).parents[2] / "scripts" / "import_catalog.py"


def release(name: str, id_: str, calendar: str) -> dict[str, Any]:
    return {"name": name, "id": id_, "calendar_version": calendar, "slurp": id_ == "2023.1"}


def fact(first: str, value: Any, **database: Any) -> dict[str, Any]:
    return {
        "version": {"first": first, "final": "1.2", "all": ["1.0", "1.1", "1.2"]},
        "python": {"classifiers": ["3.8"], "requires": ">=3.8"},
        "packages": {"ubuntu": {"version_prefix": "2:1."}},
        "schema_changes_within_series": [{"version": "1.1"}],
        "databases": {"main": {"value": value, **database}},
        "accepts_from": {},
    }


SURVEY = {
    "releases": [release("zed", "zed", "2022.2"), release("antelope", "2023.1", "2023.1")],
    "services": {
        "x": {
            "releases": {
                "zed": fact("1.0", {"x": 7}, value_at_first_release={"value": {"x": 6}}),
                "antelope": fact("1.0", ["47147121"]) | {"accepts_from": {"zed": {"schema": "ok"}}},
            }
        }
    },
}


@pytest.fixture(scope="module")
def script() -> Any:
    spec = importlib.util.spec_from_file_location("import_catalog", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_release_ids_stay_text(script: Any) -> None:
    assert yaml.safe_load("\n".join(script.series_lines(SURVEY))) == [
        {"id": "zed", "codename": "zed", "aliases": ["2022.2"]},
        {"id": "2023.1", "codename": "antelope", "slurp": True},
    ]


def test_a_service_keeps_its_markers_and_their_first_values(script: Any) -> None:
    zed, antelope = yaml.safe_load("\n".join(script.service_lines(SURVEY, "x")))
    assert zed["databases"]["main"] == {
        "migrate": {"x": 7},
        "earlier": [{"until": "1.0", "migrate": {"x": 6}}],
    }
    assert zed["package"] == {"first": "1.0", "final": "1.2"}
    assert zed["python"] == {"requires": ">=3.8", "tested": ["3.8"]}
    assert antelope["databases"]["main"] == {"alembic": ["47147121"]}


def test_it_prints_what_it_is_asked_for(script: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    survey = tmp_path / "catalog.json"
    survey.write_text(json.dumps(SURVEY))
    assert script.main([str(survey), "accepts", "x"]) == 0
    assert json.loads(capsys.readouterr().out) == {"zed": {}, "2023.1": {"zed": "ok"}}
    assert script.main([str(survey), "series"]) == 0
    assert "antelope" in capsys.readouterr().out
