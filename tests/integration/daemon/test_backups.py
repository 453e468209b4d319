"""Backup sets on real hosts: tried, listed, removed by policy, and never loaded when one is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.daemon.daemon import checked, child, cli
from tests.integration.daemon.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.daemon]


def go(site: Site, release: str, code: int = 0) -> str:
    """Let a daemon bring the service to a release, with a policy for its backups."""
    files = site.files(release)
    policy = "  name: site\n  backups: {trust: restored, keep: 1}\n"
    files["fleet.yaml"] = files["fleet.yaml"].replace("  name: site\n", policy)
    site.push(files)
    done = child(site, "run", "--once")
    assert done.code == code, done.err
    return done.out


def test_sets_are_tried_and_listed_and_older_ones_removed_but_never_a_way_back(site: Site) -> None:
    for release in ("two", "three", "two", "three"):
        go(site, release)

    sets = checked(cli(site, "backups", "demo", "-o", "json"), "backups")["sets"]
    dumps = [each for each in sets if each["kind"] == "dump"]
    assert [(each["release"], each["trust"], each["needed_by"]) for each in dumps] == [
        ("two", "restored", "last leg"),  # of three, again
        ("two", "restored", ""),  # of three, which was reverted
        ("one", "restored", ""),
    ]
    there = {copy["path"]: not each["removed_at"] for each in sets for copy in each["copies"]}
    assert there == {path: Path(path).exists() for path in there}
    assert set(there.values()) == {True, False}
    assert not list((site.root / "backups").rglob("*.scratch"))


def test_a_dump_that_is_damaged_is_not_loaded_and_what_serves_goes_on(site: Site) -> None:
    go(site, "two")
    (dump,) = checked(cli(site, "backups", "-o", "json"), "backups")["sets"]
    path = Path(dump["copies"][0]["path"])
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"\1")

    assert "BackupUnreadable" in go(site, "one", code=1)
    assert site.schema() == "d2 made_by_two"
    assert site.links() == ["two", "two"]

    path.write_bytes(whole)
    assert cli(site, "retry", "demo", "--wait", "0").code == 0
    assert child(site, "run", "--once").code == 0
    assert site.schema() == "d1"
