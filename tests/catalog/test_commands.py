"""Commands of an era: which databases they move, and what stands beside them."""

from typing import Any

import pytest

from reconciler.catalog import build_catalog
from reconciler.domain.catalog import Database, Service
from reconciler.domain.commands import Backfill, SchemaCommand, Setup, When
from reconciler.domain.marker import Marker
from reconciler.domain.release import Span
from reconciler.domain.rule import SchemaTest
from reconciler.errors import CatalogError

SERIES = {"series": "s", "releases": [{"id": name, "codename": name} for name in ("one", "two", "three")]}
CELLS = {"argv": ["x-manage", "db", "sync"], "databases": ["cell0", "main"]}
API = {"argv": ["x-manage", "api", "sync"], "databases": ["api"]}
SETUP = {"id": "map", "argv": ["x-manage", "map"], "when": "after_sync", "reason": "Cells must be known."}
CHAIN = {
    "base": "b",
    "branches": [
        {"name": "expand", "stage": "expand", "revisions": ["e1", "e2"]},
        {"name": "contract", "stage": "contract", "revisions": ["c1"]},
    ],
    "implies": {"c1": "e1"},
}


def release(name: str, *databases: str) -> dict[str, Any]:
    marked = {each: {"migrate": {"x": 1}} for each in databases}
    return {"id": name, "package": {"first": "1", "final": "1"}, "databases": marked}


def service(**era: Any) -> Service:
    database = {"migrate": {"repositories": [{"name": "x"}]}}
    document = {
        "service": "x",
        "series": "s",
        "databases": {"api": database, "main": database, "cell0": database | {"appears": {"first": "three"}}},
        "eras": [{"zero_downtime": False, "sync": [API, CELLS]} | era],
        "releases": [release("one", "main"), release("two", "api", "main", "cell0"), release("three", "main")],
    }
    return build_catalog([SERIES, document]).service("x")


def test_a_command_moves_the_databases_that_the_release_has() -> None:
    found = {each.release.id: each.commands.sync for each in service().releases}
    api = SchemaCommand(argv=("x-manage", "api", "sync"), databases=("api",))
    cells = SchemaCommand(argv=("x-manage", "db", "sync"), databases=("cell0", "main"))
    assert found["two"] == (api, cells)
    assert found["one"] == (SchemaCommand(argv=("x-manage", "db", "sync"), databases=("main",)),)


def test_an_argv_alone_moves_all_of_them() -> None:
    (sync,) = service(sync=["x-manage", "sync"]).at("two").commands.sync
    assert sync == SchemaCommand(argv=("x-manage", "sync"), databases=("api", "main", "cell0"))


def test_a_setup_holds_for_hops_that_start_before_its_end() -> None:
    (found,) = service(setup=[SETUP | {"until": "three"}]).at("two").commands.setup
    assert found == Setup(
        id="map", argv=("x-manage", "map"), when=When.AFTER_SYNC, reason="Cells must be known.", origins=Span(0, 1)
    )


def test_a_backfill_has_its_exit_codes() -> None:
    found = service(backfill={"argv": ["x-manage", "online"], "failed": [2, 127], "source": "x/cmd/manage.py"})
    backfill = found.at("one").commands.backfill
    assert backfill == Backfill(argv=("x-manage", "online"), failed=(2, 127), source="x/cmd/manage.py")


def test_every_command_line_is_listed() -> None:
    era = service(setup=[SETUP], check=["x-status"], backfill={"argv": ["x-online"], "source": "s"})
    assert [argv[0] for argv in era.at("two").commands.argvs()] == [
        "x-manage",
        "x-manage",
        "x-manage",
        "x-online",
        "x-status",
    ]


def test_a_database_may_be_missing_before_it_must_appear() -> None:
    found = service()
    assert found.may_lack("cell0", "two")
    assert not found.may_lack("cell0", "three")
    assert not found.may_lack("main", "one")


@pytest.mark.parametrize(
    ("era", "message"),
    [
        ({"sync": [API]}, "x one: no command of sync moves database main"),
        ({"sync": [CELLS, CELLS, API]}, "x one: database main is listed twice"),
        ({"setup": [SETUP | {"until": "four"}]}, "release 'four' is not of series s"),
        ({"setup": [SETUP | {"when": "later"}]}, "eras.0.setup.0.when: Input should be 'before_sync' or 'after_sync'"),
        ({"sync": []}, "eras.0.sync: Tuple should have at least 1 item"),
    ],
)
def test_contradictions_are_refused(era: dict[str, Any], message: str) -> None:
    with pytest.raises(CatalogError) as caught:
        service(**era)
    assert message in str(caught.value)


def chained() -> Database:
    document = {
        "service": "z",
        "series": "s",
        "databases": {"main": {"alembic": CHAIN}},
        "eras": [{"zero_downtime": False, "sync": ["z"]}],
    }
    return build_catalog([SERIES, document]).service("z").database("main")


def test_a_head_may_stand_for_a_revision_of_another_branch() -> None:
    assert chained().heads(frozenset({"c1"})) == {"c1", "e1"}
    assert chained().ancestry(frozenset({"c1"})) == {"b", "e1", "c1"}
    assert chained().ancestry(frozenset()) == frozenset()


@pytest.mark.parametrize(
    ("test", "holds"),
    [
        (SchemaTest(database="main", alembic_any=frozenset({"e2", "x"})), True),
        (SchemaTest(database="main", alembic_any=frozenset({"c1"})), False),
        (SchemaTest(database="main", alembic_none=frozenset({"c1"})), True),
        (SchemaTest(database="main", alembic_none=frozenset({"e1"})), False),
    ],
)
def test_a_question_may_be_about_the_revisions_behind_the_heads(test: SchemaTest, holds: bool) -> None:
    database = chained()
    heads = frozenset({"e2"})
    assert test.holds(Marker(alembic=heads), database.ancestry(heads)) is holds


def test_before_its_own_database_a_service_says_where_its_tables_are() -> None:
    with pytest.raises(CatalogError) as caught:
        build_catalog([SERIES, ORPHAN]).service("w").at("one")
    assert caught.value.hint == "it has two to two; before that its tables are in database main of y"


ORPHAN = {
    "service": "w",
    "series": "s",
    "databases": {"main": {"migrate": {"repositories": [{"name": "x"}]}}},
    "eras": [{"zero_downtime": False, "sync": ["w"]}],
    "releases": [release("two", "main")],
    "origin": {
        "service": "y",
        "database": "main",
        "tables": ["t"],
        "releases": {"last": "two"},
        "reason": "They are copied.",
        "source": "a document",
    },
}
