"""Identifying releases from markers: the cases lie in tests/cases/identify."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import validate

from reconciler.catalog import build_catalog, load_catalog
from reconciler.domain.catalog import Catalog
from reconciler.domain.schema import SchemaMarker
from reconciler.errors import CatalogError
from reconciler.planning.identify import identify, identify_service, releases_of

CASES = sorted((Path(__file__).parents[1] / "cases" / "identify").glob("*.json"))

CONTRACT = {
    "type": "object",
    "required": ["service", "databases", "releases"],
    "additionalProperties": False,
    "properties": {
        "service": {"type": "string"},
        "releases": {"type": "array", "items": {"type": "string"}},
        "databases": {
            "additionalProperties": {
                "type": "object",
                "required": ["marker", "releases", "state", "text", "structure"],
                "additionalProperties": False,
                "properties": {
                    "marker": {"type": "object"},
                    "releases": {"type": "array", "items": {"type": "string"}},
                    "state": {"enum": ["at", "between", "unknown", "empty"]},
                    "text": {"type": "string", "minLength": 1},
                    "structure": {"type": "null"},
                },
            }
        },
    },
}


def marker(data: dict[str, Any]) -> SchemaMarker:
    heads = data["alembic"]
    return SchemaMarker(
        alembic=None if heads is None else frozenset(heads), migrate=data["migrate"], tables=data["tables"]
    )


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_case(file: Path) -> None:
    case = json.loads(file.read_text("utf-8"))
    seen, expect = marker(case["marker"]), case["expect"]
    found = identify(load_catalog().service(case["service"]), case["database"], seen)
    assert (found.state.value, list(found.releases)) == (expect["state"], expect["releases"]), found.text
    assert (list(found.between) if found.between else None) == expect["between"]
    for part in expect["text"]:
        assert part in found.text
    together = identify_service(load_catalog(), case["service"], {case["database"]: seen})
    assert list(together.releases) == expect["releases"]
    validate(together.as_json(), CONTRACT)


def test_the_cases_cover_every_release() -> None:
    named = {name for file in CASES for name in json.loads(file.read_text("utf-8"))["expect"]["releases"]}
    assert {"kilo", "mitaka", "pike", "train", "yoga", "zed", "2023.2", "2024.1", "2026.2"} <= named


def test_every_marker_of_the_catalog_names_its_release() -> None:
    service = load_catalog().service("keystone")
    for release in service.releases:
        for each in release.schema["main"]:
            seen = SchemaMarker(alembic=each.alembic or None, migrate=each.migrate or None, tables=40)
            assert release.release.id in releases_of(service, "main", seen)


def test_an_unknown_database_is_an_error() -> None:
    with pytest.raises(CatalogError, match="keystone has no database 'api'"):
        identify_service(load_catalog(), "keystone", {"api": SchemaMarker()})


def two_databases() -> Catalog:
    """A service with two databases, alembic only, one branch each; both change at other releases."""
    chain = {"branches": [{"name": "main", "revisions": ["one", "two", "three"]}], "base": "zero"}
    heads = {"a": ("one", "one"), "b": ("one", "two"), "c": ("two", "two")}
    return build_catalog(
        [
            {"series": "s", "releases": [{"id": each, "codename": each} for each in heads]},
            {
                "service": "x",
                "series": "s",
                "databases": {"api": {"alembic": chain}, "cell": {"alembic": chain}},
                "eras": [{"zero_downtime": False, "sync": ["x"]}],
                "releases": [
                    {
                        "id": name,
                        "package": {"first": "1", "final": "1"},
                        "databases": {"api": {"alembic": [api]}, "cell": {"alembic": [cell]}},
                    }
                    for name, (api, cell) in heads.items()
                ],
            },
        ]
    )


@pytest.mark.parametrize(
    ("api", "cell", "releases"), [("one", "two", ("b",)), ("two", "one", ()), ("three", "two", ())]
)
def test_a_service_stands_where_all_its_databases_may_stand(api: str, cell: str, releases: tuple[str, ...]) -> None:
    markers = {name: SchemaMarker(alembic=frozenset({head}), tables=5) for name, head in (("api", api), ("cell", cell))}
    assert identify_service(two_databases(), "x", markers).releases == releases


def test_nothing_given_says_nothing() -> None:
    assert identify_service(two_databases(), "x", {}).releases == ()
