"""What the catalog says of Nova beside its rules."""

from reconciler.catalog import load_catalog
from reconciler.domain.schema import SchemaMarker, SchemaState
from reconciler.planning.identify import identify, identify_service

CATALOG = load_catalog()
NOVA = CATALOG.service("nova")


def migrate(row: str, version: int) -> SchemaMarker:
    return SchemaMarker(migrate={row: version}, tables=100)


def test_api_comes_first_and_cell0_moves_with_main() -> None:
    pike = NOVA.at("pike").commands
    assert [(each.argv[1], each.databases) for each in pike.sync] == [("api_db", ("api",)), ("db", ("cell0", "main"))]
    assert pike.expand == pike.sync
    assert [each.databases for each in NOVA.at("kilo").commands.sync] == [("api",), ("main",)]


def test_databases_appear_on_the_way() -> None:
    lacking = {
        name: [each.release.id for each in NOVA.releases if NOVA.may_lack(name, each.release.id)]
        for name in NOVA.databases
    }
    early = ["kilo", "liberty", "mitaka"]
    assert lacking == {"api": early, "main": [], "cell0": [*early, "newton"]}


def test_online_data_migrations_run_until_nothing_is_left() -> None:
    backfill = NOVA.at("train").commands.backfill
    assert backfill is not None
    assert (backfill.argv[-1], backfill.done, backfill.more) == ("online_data_migrations", (0,), (1,))
    assert NOVA.at("kilo").commands.backfill is None
    assert "migrate_flavors" in NOVA.at("pike").backfills
    assert "migrate_flavors" not in NOVA.at("queens").backfills


def test_cells_are_set_up_with_newtons_code() -> None:
    assert [each.release.id for each in NOVA.releases if each.commands.setup] == ["newton"]


def test_backports_move_the_marker_within_a_series() -> None:
    markers = [(marker.migrate["nova_api"], marker.until) for marker in NOVA.at("newton").schema["api"]]
    assert markers == [(22, ""), (21, "14.0.10"), (20, "14.0.1")]


def test_all_databases_together_tell_the_release() -> None:
    found = identify_service(
        CATALOG,
        "nova",
        {"api": migrate("nova_api", 44), "main": migrate("nova", 362), "cell0": migrate("nova", 362)},
    )
    assert found.releases == ("pike",)


def test_rows_of_the_old_age_beside_alembic_mean_nothing() -> None:
    xena = SchemaMarker(alembic=frozenset({"8f2f1571d55b"}), migrate={"nova": 422}, tables=100)
    assert identify(NOVA, "main", xena).releases == ("xena",)


def test_a_refused_jump_leaves_a_trace_that_harms_nobody() -> None:
    tried = SchemaMarker(alembic=frozenset(), migrate={"nova": 417}, tables=100)
    found = identify(NOVA, "main", tried)
    assert (found.state, found.releases) == (SchemaState.AT, ("wallaby",))
    assert "refused upgrade" in found.text
