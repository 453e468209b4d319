"""A savepoint within a leg, by a real daemon over real sshd on a real MariaDB: there and back, and forward from there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import reconciler.catalog
from tests.integration.daemon.conftest import DATABASE
from tests.integration.daemon.daemon import Daemon, checked, cli
from tests.integration.daemon.site import Site
from tests.integration.daemon.test_secrets import credentials, files_on_mariadb
from tests.support.mariadb import shared

pytestmark = [pytest.mark.integration, pytest.mark.daemon]

PACKAGED = Path(reconciler.catalog.__file__).parent / "procedures/fast-forward.yaml"
FIRST = "- {action: backfill, code: start}\n"


def want(site: Site, release: str) -> None:
    """Commit a release, by the packaged fast-forward with a savepoint before the schema leaves a stop."""
    text = PACKAGED.read_text()
    assert FIRST in text
    stops = text.replace("fast-forward:", "stops:").replace(FIRST, f"- savepoint\n        {FIRST}")
    files = files_on_mariadb(site, release)
    fleet = files["fleet.yaml"].replace("procedure: fast-forward", "procedure: stops")
    assert fleet != files["fleet.yaml"]
    site.push(files | {"fleet.yaml": fleet, "procedures/stops.yaml": stops})


def schema() -> str:
    """The head, the rows of before, and the tables that migrations made."""
    head = f"SELECT version_num FROM {DATABASE}.alembic_version"  # noqa: S608 - a name of ours
    things = f"SELECT name FROM {DATABASE}.things"  # noqa: S608
    made = f"SHOW TABLES FROM {DATABASE} LIKE 'made%'"
    return " ".join(str(row[0]) for asked in (head, things, made) for row in shared().rows(asked))


def entries(site: Site) -> list[dict[str, object]]:
    found: list[dict[str, object]] = checked(cli(site, "history", "-n", "0", "-o", "json"), "history")["entries"]
    return found


@pytest.mark.usefixtures("database")
def test_a_commit_in_mid_walk_names_a_stop_and_the_leg_goes_back_to_it_and_on_from_there(
    site: Site, start: Callable[..., Daemon]
) -> None:
    want(site, "one")
    daemon = start(**credentials(site))
    daemon.reached("InSync")

    # The schema has left the second stop, and its walk to the third has begun.
    hold = site.root / "ledger.hold-three"
    hold.touch()
    want(site, "three")
    daemon.wait(lambda: any("schema-sync.main.three" in str(each["step"]) for each in entries(site)))
    assert site.ledger() == ["end two"]
    (kept,) = checked(cli(site, "backups", "demo", "-o", "json"), "backups")["sets"]
    assert [each["database"] for each in kept["copies"]] == ["main", "main@two"]
    want(site, "two")
    daemon.until(lambda s: s["revision"] == site.head, "the commit")
    hold.unlink()
    daemon.reached("InSync")
    assert site.ledger() == ["end two", "end three"]
    assert schema() == "d2 first made_by_two"
    assert site.links() == ["two", "two"]
    begun = [str(each["step"]).partition("@")[0] for each in entries(site) if each["kind"] == "intent"]
    assert begun.count("demo.migrate.to-savepoint.main") == 1

    # The leg is open again by that: forward to its goal, or back to its start.
    want(site, "three")
    daemon.reached("InSync")
    assert (schema(), site.links()) == ("d3 first made_by_three made_by_two", ["three", "three"])
    want(site, "one")
    daemon.reached("InSync")
    assert (schema(), site.links()) == ("d1 first", ["one", "one"])
    assert cli(site, "status", "-o", "json").json["halts"] == []


@pytest.mark.usefixtures("database")
def test_a_complete_leg_goes_back_to_its_savepoint_unless_somebody_has_written(
    site: Site, start: Callable[..., Daemon]
) -> None:
    want(site, "one")
    daemon = start(**credentials(site))
    daemon.reached("InSync")
    want(site, "three")
    daemon.reached("InSync")

    shared().run("INSERT INTO things VALUES ('since')", dbname=DATABASE)
    want(site, "two")
    halted = daemon.until(lambda s: s["halts"], "a halt")
    assert [each["reason"] for each in halted["halts"]] == ["WrittenSince"]
    assert site.links() == ["three", "three"]

    shared().run("DELETE FROM things WHERE name = 'since'", dbname=DATABASE)
    assert cli(site, "retry", "demo", "--why", "the row was a mistake").code == 0
    daemon.reached("InSync")
    assert (schema(), site.links()) == ("d2 first made_by_two", ["two", "two"])
