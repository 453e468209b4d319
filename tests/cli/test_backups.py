"""`reconciler backups`, from literals and from a daemon's store."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from reconciler.cli.backups import rows_of, to_json
from reconciler.domain.backup import BackupSet, Copy, Need, SetKind, Trust
from tests.cli.conftest import conforms

AT = datetime(2026, 1, 2, tzinfo=UTC)
NODE = BackupSet(
    service="k", run="r1", release="yoga", kind=SetKind.HELD_NODE, made_at=AT, copies=(Copy(host="n3", path="/d"),)
)
DUMPS = BackupSet(
    service="k",
    run="r2",
    release="yoga",
    kind=SetKind.DUMP,
    made_at=AT,
    need=Need.OPEN_LEG,
    copies=(
        Copy(host="h", database="api", path="/b/r2/k.api.sql.gz", bytes=3 << 29, trust=Trust.READ_BACK),
        Copy(host="h", database="cell0"),
    ),
)
GONE = BackupSet(
    service="k", run="r0", release="xena", kind=SetKind.DUMP, made_at=AT, copies=DUMPS.copies[:1], removed_at=AT
)


def test_a_set_is_a_line_for_each_database():
    assert [tuple(each) for each in rows_of([NODE, DUMPS], AT + timedelta(days=3))] == [
        ("k", "r1", "yoga", "held node", "-", "3 d", "-", "", "n3:/d"),
        ("k", "r2", "yoga", "dump", "read back", "3 d", "1.5 GiB", "open leg", "h:/b/r2/k.api.sql.gz"),
        ("", "", "", "", "", "", "-", "", "cell0: there was none"),
    ]


def test_what_was_removed_is_said_and_nobody_needs_it():
    (row,) = rows_of([GONE], AT + timedelta(minutes=1))
    assert row[7] == "removed"
    (told,) = to_json([GONE])
    assert (told["needed_by"], told["removed_at"]) == ("", "2026-01-02T00:00:00+00:00")


def test_the_contract_holds_sets_of_every_kind():
    sets = conforms("backups", json.dumps({"sets": to_json([NODE, DUMPS, GONE])}))["sets"]
    assert [(each["trust"], each["bytes"], each["needed_by"]) for each in sets] == [
        ("", None, ""),
        ("read_back", 3 << 29, "open leg"),
        ("read_back", 3 << 29, ""),
    ]
    assert [copy["absent"] for copy in sets[1]["copies"]] == [False, True]
