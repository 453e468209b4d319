"""What the catalog says of Keystone beside its rules."""

from reconciler.catalog import load_catalog
from reconciler.domain.commands import SchemaCommand

KEYSTONE = load_catalog().service("keystone")


def test_every_release_has_a_schema_and_a_sync_command() -> None:
    for each in KEYSTONE.releases:
        assert each.schema["main"], each.release.id
        assert each.commands.sync == (SchemaCommand(argv=("keystone-manage", "db_sync"), databases=("main",)),)
        assert each.units == ("keystone",)
        assert each.deb_prefix.endswith(".")


def test_commands_follow_the_code() -> None:
    has = {
        name: [each.release.id for each in KEYSTONE.releases if getattr(each.commands, name)]
        for name in ("expand", "migrate", "contract", "upgrade_check")
    }
    assert (has["expand"][0], has["expand"][-1]) == ("newton", "2026.2")
    assert (has["migrate"][0], has["migrate"][-1]) == ("newton", "yoga")
    assert has["contract"] == has["expand"]
    assert has["upgrade_check"][0] == "stein"
    assert [each.release.id for each in KEYSTONE.releases if each.zero_downtime] == has["expand"]


def test_facts_that_no_rule_can_hold_are_notes() -> None:
    notes = {note.id: note for note in KEYSTONE.notes}
    lying = notes["keystone-check-lies"].releases
    assert [each.release.id for each in KEYSTONE.releases if each.release.index in lying] == [
        "2023.2",
        "2024.1",
    ]
    assert all(note.text and note.source for note in KEYSTONE.notes)
