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
        "packages": {
            "ubuntu": {"version_prefix": "2:1."},
            "kolla": {"image_pattern": "kolla/<image>:<tag>", "tag": "1.0"},
        },
        "schema_changes_within_series": [
            {"version": "1.2", "value": 7, "path": "x/repo"},
            {"version": "1.1", "value": 6, "path": "x/repo"},
            {"version": "1.1", "value": 9, "path": "x/other_repo"},
        ],
        "databases": {"main": {"value": value, "source": "openstack/x tag 1.2 x/repo/versions", **database}},
        "accepts_from": {},
        "online_data_migrations": {"functions": ["fill"]},
    }


SURVEY = {
    "releases": [
        release("zed", "zed", "2022.2"),
        release("antelope", "2023.1", "2023.1"),
        release("bobcat", "2023.2", "2023.2"),
    ],
    "services": {
        "x": {
            "releases": {
                "zed": fact("1.0", {"x": 7}, value_at_first_release={"value": {"x": 5}}),
                "antelope": fact("1.0", ["47147121"], value_after_expand_contract=["c0"])
                | {
                    "accepts_from": {"zed": {"verdict": "unsafe", "schema": "silent_stamp"}},
                    "online_data_migrations": {"functions": ["count", "fill"]},
                },
                "bobcat": fact("1.0", ["47147121"]) | {"online_data_migrations": {"functions": ["count"]}},
            }
        }
    },
    "collapse_points": [
        {"service": "x", "release": "antelope", "lowest_accepted_release": "zed"},
        {"service": "x", "release": "zed", "lowest_accepted_release": "(before)"},
    ],
    "routes": [
        {
            "to": "antelope",
            "services": {
                "x": {"starts_at": "zed", "n_shortest": 7, "shortest_code_legal": [["zed", "antelope"]]},
            },
        }
    ],
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
        {"id": "2023.2", "codename": "bobcat"},
    ]


def test_a_service_keeps_its_markers_and_their_first_values(script: Any) -> None:
    zed, antelope, bobcat = yaml.safe_load("\n".join(script.service_lines(SURVEY, "x")))
    assert zed["databases"]["main"] == {
        "migrate": {"x": 7},
        "earlier": [{"until": "1.0", "migrate": {"x": 5}}, {"until": "1.1", "migrate": {"x": 6}}],
    }
    assert zed["images"] == {"name": "kolla/<image>", "tag": "1.0"}
    assert zed["package"] == {"first": "1.0", "final": "1.2"}
    assert zed["python"] == {"requires": ">=3.8", "tested": ["3.8"]}
    assert antelope["databases"]["main"] == {"alembic": ["47147121"], "also": [{"alembic": ["c0"]}]}
    assert bobcat["databases"]["main"] == {"alembic": ["47147121"]}


def test_online_data_migrations_are_stretches_of_releases(script: Any) -> None:
    assert yaml.safe_load("\n".join(script.backfill_lines(SURVEY, "x"))) == [
        {"name": "fill", "first": "zed", "last": "2023.1"},
        {"name": "count", "first": "2023.1"},
    ]


def test_it_prints_what_it_is_asked_for(script: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    survey = tmp_path / "catalog.json"
    survey.write_text(json.dumps(SURVEY))
    assert script.main([str(survey), "accepts", "x"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "zed": {},
        "2023.1": {"zed": "unsafe silent_stamp"},
        "2023.2": {},
    }
    assert script.main([str(survey), "routes"]) == 0
    (route,) = json.loads(capsys.readouterr().out)
    assert route == {"service": "x", "from": "zed", "to": "2023.1", "ways": 7, "some": ["zed 2023.1"]}
    assert script.main([str(survey), "collapses"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"service": "x", "to": "2023.1", "from": "zed"}]
    assert script.main([str(survey), "backfills", "x"]) == 0
    assert "fill" in capsys.readouterr().out
    assert script.main([str(survey), "series"]) == 0
    assert "antelope" in capsys.readouterr().out
