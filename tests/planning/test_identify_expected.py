"""What a database must show after a schema step."""

import pytest

from reconciler.catalog import load_catalog
from reconciler.domain.marker import Marker, Stage
from reconciler.domain.schema import SchemaMarker
from reconciler.planning.expected import expected_after, heads_expected
from reconciler.planning.identify import identify
from reconciler.planning.marker import matches

KEYSTONE = load_catalog().service("keystone")
MAIN = KEYSTONE.databases["main"]


def rows(expand: int, migrate: int, contract: int, core: int = 109) -> dict[str, int]:
    return {
        "keystone": core,
        "keystone_expand": expand,
        "keystone_data_migrate": migrate,
        "keystone_contract": contract,
    }


def alembic(*heads: str) -> Marker:
    return Marker(alembic=frozenset(heads))


@pytest.mark.parametrize(
    ("version", "expected"),
    [("19.0.0", [78]), ("19.0.1", [79]), ("", [79, 78]), ("2:19.0.0-0ubuntu1", [79, 78])],
)
def test_a_series_may_have_two_schemas(version: str, expected: list[int]) -> None:
    found = heads_expected(KEYSTONE, "main", "wallaby", version=version)
    assert [marker.migrate["keystone_expand"] for marker in found] == expected


def test_a_release_is_known_by_any_name() -> None:
    assert heads_expected(KEYSTONE, "main", "gazpacho") == (alembic("742c857f1dfb", "c88cdce8f248"),)


@pytest.mark.parametrize(
    ("start", "goal", "stage", "expected"),
    [
        ("train", "ussuri", Stage.EXPAND, Marker(migrate=rows(78, 71, 71))),
        ("train", "ussuri", Stage.MIGRATE, Marker(migrate=rows(78, 78, 71))),
        ("train", "ussuri", Stage.CONTRACT, Marker(migrate=rows(78, 78, 78))),
        ("mitaka", "newton", Stage.EXPAND, Marker(migrate={"keystone": 109, "keystone_expand": 4})),
        ("yoga", "2023.1", Stage.EXPAND, alembic("29e87d24a316")),
        ("yoga", "2023.1", Stage.CONTRACT, alembic("29e87d24a316", "e25ffa003242")),
        ("zed", "2023.2", Stage.EXPAND, alembic("11c3b243b4cb", "e25ffa003242")),
        ("zed", "2023.2", Stage.CONTRACT, alembic("11c3b243b4cb", "c88cdce8f248")),
        ("2025.2", "2026.1", Stage.EXPAND, alembic("742c857f1dfb", "c88cdce8f248")),
        ("2024.1", "2024.2", Stage.EXPAND, alembic("47147121", "c88cdce8f248")),
    ],
)
def test_after_a_stage_the_later_branches_still_stand_where_they_were(
    start: str, goal: str, stage: Stage, expected: Marker
) -> None:
    assert expected_after(KEYSTONE, "main", start, goal, stage) == expected


def test_after_the_last_stage_the_database_stands_at_the_goal() -> None:
    for start, goal in zip(KEYSTONE.releases, KEYSTONE.releases[1:], strict=False):
        left = expected_after(KEYSTONE, "main", start.release.id, goal.release.id, Stage.CONTRACT)
        seen = SchemaMarker(alembic=left.alembic or None, migrate=left.migrate or None, tables=40)
        assert goal.release.id in identify(KEYSTONE, "main", seen).releases


def test_old_rows_do_not_disturb_the_comparison() -> None:
    (expected,) = heads_expected(KEYSTONE, "main", "zed")
    heads = frozenset({"29e87d24a316", "e25ffa003242"})
    assert matches(MAIN, expected, SchemaMarker(alembic=heads, migrate=rows(79, 79, 79), tables=49))
    assert not matches(MAIN, expected, SchemaMarker(alembic=heads - {"e25ffa003242"}, tables=49))
