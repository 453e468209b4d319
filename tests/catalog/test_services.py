"""What the catalog says of services beside their rules, where it could be got wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from reconciler.catalog import load_catalog
from reconciler.domain.marker import Stage
from reconciler.domain.schema import SchemaMarker, SchemaState
from reconciler.errors import CatalogError
from reconciler.planning.expected import expected_after, heads_expected
from reconciler.planning.identify import identify

CATALOG = load_catalog()
SURVEYED = [path.name.removesuffix("_accepts.json") for path in sorted(Path(__file__).parent.glob("*_accepts.json"))]
GATES = json.loads((Path(__file__).parent / "gates.json").read_text())

PARTED = {"nova-service-version": "nova-computes-"}
"""A gate of the survey that is several rules here, one for each release that asks something else."""


def at(service: str, *heads: str, **rows: int) -> tuple[SchemaState, tuple[str, ...]]:
    marker = SchemaMarker(alembic=frozenset(heads) or None, migrate=rows or None, tables=50)
    found = identify(CATALOG.service(service), "main", marker)
    return found.state, found.releases


@pytest.mark.parametrize("gate", [gate for gate in GATES if gate.partition("-")[0] in SURVEYED])
def test_every_gate_of_the_survey_has_its_place(gate: str) -> None:
    service = CATALOG.service(gate.partition("-")[0])
    places = [*(rule.id for rule in service.rules), *(note.id for note in service.notes)]
    assert gate in places or any(place.startswith(PARTED[gate]) for place in places)


@pytest.mark.parametrize("name", SURVEYED)
def test_every_release_can_be_installed_and_synced(name: str) -> None:
    for each in CATALOG.service(name).releases:
        assert each.first_version
        assert each.deb_prefix.endswith(".")
        assert each.python_tested
        assert each.units
        assert {database for command in each.commands.sync for database in command.databases} == set(each.schema)
        assert bool(each.commands.expand) == each.zero_downtime or name == "glance"
        assert (each.release.index >= 5) <= bool(each.images)


def test_a_release_has_the_markers_of_sync_and_of_the_staged_commands() -> None:
    glance = CATALOG.service("glance")
    heads = [set(marker.alembic) for marker in heads_expected(glance, "main", "pike", version="15.0.2")]
    assert heads == [{"pike01"}, {"pike_contract01"}]
    assert at("glance", "pike01") == at("glance", "pike_contract01") == (SchemaState.AT, ("pike",))


def test_a_contract_head_of_glance_stands_for_its_expand_head() -> None:
    glance = CATALOG.service("glance")
    assert at("glance", "train_contract01", **{"Glance Migrations": 0}) == (SchemaState.AT, ("train",))
    assert at("glance", "train_contract01", "ussuri_expand01")[0] is SchemaState.BETWEEN
    expanded = expected_after(glance, "main", "train", "ussuri", Stage.EXPAND)
    assert expanded.alembic == {"train_contract01", "ussuri_expand01"}
    assert expected_after(glance, "main", "train", "ussuri", Stage.CONTRACT).alembic == {"ussuri_contract01"}


def test_before_stein_placement_lives_in_nova() -> None:
    placement = CATALOG.service("placement")
    with pytest.raises(CatalogError) as caught:
        placement.at("rocky")
    assert caught.value.hint.endswith("before that its tables are in database api of nova")
    assert placement.origin is not None
    assert "allocations" in placement.origin.tables


def test_cinder_moves_within_a_release_in_the_order_of_its_chain() -> None:
    assert at("cinder", "9ab1b092a404") == (SchemaState.BETWEEN, ())
    assert at("cinder", cinder=135) == (SchemaState.BETWEEN, ())
    assert at("cinder", "921e1a36b076", cinder=145) == (SchemaState.AT, ("xena", "yoga"))


def test_mitakas_neutron_has_one_row_for_two_branches() -> None:
    neutron = CATALOG.service("neutron")
    assert at("neutron", "4ffceebfcdc") == (SchemaState.AT, ("mitaka",))
    assert at("neutron", "kilo") == (SchemaState.AT, ("kilo",))
    assert at("neutron", "4ffceebfcdc", "5cd92597d11d")[0] is SchemaState.BETWEEN
    newton = expected_after(neutron, "main", "mitaka", "newton", Stage.EXPAND)
    assert newton.alembic == {"4ffceebfcdc", "5cd92597d11d"}
    liberty = expected_after(neutron, "main", "kilo", "liberty", Stage.EXPAND)
    assert liberty.alembic == {"34af2b5c5a59"}
    mitaka = expected_after(neutron, "main", "liberty", "mitaka", Stage.EXPAND)
    assert mitaka.alembic == {"0e66c5227a8a", "4af11ca47297"}
    assert expected_after(neutron, "main", "liberty", "mitaka", Stage.CONTRACT).alembic == {"4ffceebfcdc"}


def test_a_neutron_stuck_on_its_way_is_between() -> None:
    assert at("neutron", "5c85685d616d", "c3e9d13c4367")[0] is SchemaState.BETWEEN


def test_ironic_moves_with_every_major_of_a_series() -> None:
    assert at("ironic", "c14cef6dfedf") == (SchemaState.AT, ("newton",))  # 6.1
    assert at("ironic", "60cf717201bc") == (SchemaState.AT, ("newton",))  # 6.2
    assert at("ironic", "f6fdb920c182") == (SchemaState.AT, ("mitaka", "newton"))  # 5.0, and 6.0


def test_heat_is_read_in_two_ages() -> None:
    assert at("heat", heat=86)[1][0] == "rocky"
    assert at("heat", "c6214ca60943", heat=86)[1][0] == "2023.2"
    assert at("heat", "88be64598c0f") == (SchemaState.BETWEEN, ())


@pytest.mark.parametrize("name", SURVEYED)
def test_a_source_names_versions_that_were_released(name: str) -> None:
    """A tag of the service's own repository is the first or final version of a release, or lies between the two."""
    service = CATALOG.service(name)
    series = [(numbers(each.first_version), numbers(each.final_version)) for each in service.releases]
    for fact in (*(rule for rule in service.rules if rule.id.startswith(name)), *service.notes):
        for tags in re.findall(rf"openstack/{name} tags? ((?:[0-9.]+|,? (?:to|and) |, )+)", fact.source):
            for tag in re.findall(r"\d+(?:\.\d+)+", tags):
                assert any(first <= numbers(tag) <= final for first, final in series), (fact.id, tag)


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
