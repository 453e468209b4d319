"""Real databases are named by marker and structure together; where these disagree, that is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.catalog import load_catalog
from reconciler.catalog.structure import knowledge, structure_file
from reconciler.catalog.structure_file import Run
from reconciler.domain.schema import Identification, SchemaMarker, SchemaState
from reconciler.domain.structure import Expected, Knowledge, Part, Structure, read_object, read_structure
from reconciler.planning.identify import identify
from reconciler.planning.identify_structure import settle

FOLDER = Path(__file__).parent.parent / "cases" / "identify-structure"
CASES = [json.loads(line) for file in sorted(FOLDER.glob("*.jsonl")) for line in file.read_text().splitlines()]
ORDINARY = [case for case in CASES if "walk" in case["made"].rsplit(", ", 1)[-1] or "fresh" in case["made"]]


def left_by(service: str, database: str, release: str, how: str = "walk") -> Structure:
    file = structure_file(service, database)
    assert file is not None
    return Structure(file.engine, frozenset(o for o, runs in file.objects.items() if Run(release, how) in runs))


def structure_of(case: dict[str, Any]) -> Structure:
    whole = left_by(*case["like"].split())
    more, less = (frozenset(map(read_object, case[key])) for key in ("with", "without"))
    assert less <= whole.objects
    return Structure(whole.engine, whole.objects - less | more)


def marker_of(case: dict[str, Any]) -> SchemaMarker:
    alembic = case["marker"]["alembic"]
    return SchemaMarker(**{**case["marker"], "alembic": None if alembic is None else frozenset(alembic)})


@pytest.fixture(scope="module")
def known() -> dict[tuple[str, str], Knowledge]:
    return {(case["service"], case["database"]): knowledge(case["service"], case["database"]) for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['service']} {case['database']}: {case['made']}")
def test_a_real_database_is_named(case, known):
    service, database = load_catalog().service(case["service"]), case["database"]
    by_marker = identify(service, database, marker_of(case))
    found = settle(service, by_marker, structure_of(case), database, known[case["service"], database])
    assert (found.state.value, list(found.releases)) == (case["state"], case["releases"])
    assert [part for part in case["says"] if part not in found.text] == []
    assert found.structure is not None
    assert found.as_json()["structure"]["text"] == found.structure.text


def test_every_release_whose_code_was_run_is_named_by_its_own_database():
    for case in ORDINARY:
        release = case["like"].split()[2]
        assert case["state"] == "at"
        assert release in case["releases"]
    assert len({case["like"] for case in ORDINARY}) == len(ORDINARY) > 200


# ---------------------------------------------------------------- made by hand

KEYSTONE = load_catalog().service("keystone")


def by(structure: Structure, marker: SchemaMarker | None = None, service: str = "keystone") -> Identification:
    component = load_catalog().service(service)
    return settle(
        component, identify(component, "main", marker or TRAIN), structure, "main", knowledge(service, "main")
    )


def rows(release: str) -> SchemaMarker:
    marker = KEYSTONE.at(release).schema["main"][0]
    return SchemaMarker(alembic=marker.alembic or None, migrate=dict(marker.migrate) or None, tables=40)


TRAIN = rows("train")


def test_a_structure_of_another_release_contradicts_the_marker():
    found = by(left_by("keystone", "main", "pike"))
    assert (found.state, found.releases, found.claims) == (SchemaState.UNKNOWN, (), ("train",))
    assert "The marker cannot be trusted. Its structure is that of pike." in found.text


def test_a_missing_column_contradicts_the_marker():
    whole = left_by("keystone", "main", "train")
    lost = next(each for each in whole.objects if each.part is Part.COLUMN and each.table == "user")
    found = by(replace(whole, objects=whole.objects - {lost}))
    assert (found.state, found.releases) == (SchemaState.UNKNOWN, ())
    assert f"1 damaging difference: missing {lost}" in found.text
    assert found.structure is not None
    assert found.structure.as_json()["counts"] == {"damaging": 1}
    assert found.structure.nearest == "train"


def test_the_structure_decides_between_releases_that_share_a_marker():
    """As if xena had changed what wallaby left, and nobody had run yoga's code."""
    marker, train, wallaby = rows("xena"), left_by("keystone", "main", "train"), left_by("keystone", "main", "wallaby")
    expected = {"wallaby": Expected((train,), ("made",)), "xena": Expected((wallaby,), ("made",))}
    by_marker = identify(KEYSTONE, "main", marker)
    found = settle(
        KEYSTONE, by_marker, wallaby, "main", Knowledge(expected=expected, tables={"keystone main": frozenset()})
    )
    assert (by_marker.releases, found.releases) == (("wallaby", "xena", "yoga"), ("xena", "yoga"))
    assert "Its structure is that of xena." in found.text


def test_a_structure_ahead_of_its_marker_contradicts_it():
    found = by(left_by("keystone", "main", "wallaby"), rows("ussuri"))
    assert (found.state, found.claims) == (SchemaState.UNKNOWN, ("ussuri", "victoria", "wallaby"))
    assert "Its structure is that of wallaby, xena, yoga, zed, 2023.1." in found.text


def test_tables_without_a_version_are_said_to_look_like_a_release():
    found = by(left_by("keystone", "main", "train"), SchemaMarker(tables=40))
    assert (found.state, found.releases) == (SchemaState.UNKNOWN, ())
    assert "no row says which schema" in found.text
    assert "Its structure is that of train." in found.text


def test_a_release_whose_code_was_not_run_has_no_fingerprint():
    service = load_catalog().service("keystone")
    oldest = service.releases[0].release.id
    marker = rows(oldest)
    found = by(left_by("keystone", "main", "pike"), marker)
    assert found.structure is not None
    assert found.structure.text.startswith("no fingerprint")
    assert (found.state, found.releases) == (SchemaState.AT, identify(service, "main", marker).releases)


NOTHING = Knowledge(expected={}, tables={})


@pytest.mark.parametrize(
    ("engine", "known"), [("mariadb", NOTHING), ("sqlite", knowledge("keystone", "main"))], ids=["no code", "engine"]
)
def test_without_a_fingerprint_the_marker_stands_alone(engine, known):
    by_marker = identify(KEYSTONE, "main", TRAIN)
    found = settle(KEYSTONE, by_marker, read_structure(engine, ["table user"]), "main", known)
    assert found.structure is not None
    assert found.structure.text.startswith("no fingerprint")
    assert replace(found, structure=None) == by_marker


def test_a_database_without_tables_is_left_as_it_is():
    empty = Structure("mariadb", frozenset())
    assert by(empty, SchemaMarker()) == identify(KEYSTONE, "main", SchemaMarker())
