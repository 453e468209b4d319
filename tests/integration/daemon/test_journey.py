"""A release advances by a commit and comes back by a revert."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.integration.daemon.daemon import Daemon, checked, child, cli
from tests.integration.daemon.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.daemon]


def rows(site: Site) -> list[str]:
    with closing(sqlite3.connect(site.database)) as connection:
        return list(connection.iterdump())


def service(site: Site) -> dict[str, Any]:
    """Ask for the status, and return what it says of the one service."""
    status = checked(cli(site, "status", "-o", "json"), "status")
    (found,) = status["services"]
    return found


def test_a_commit_advances_and_its_revert_comes_back(site: Site, daemon: Daemon) -> None:
    before = rows(site)
    assert service(site)["verdict"] == "InSync"

    site.hold.touch()
    site.commit("three")
    daemon.wait(lambda: site.ledger() == ["begin two"])
    daemon.until(lambda s: s["services"][0]["phase"] == "migrate", "a migration")
    under_way = service(site)
    assert (under_way["verdict"], under_way["desired"]) == ("Progressing", "three")
    assert 0 < under_way["steps"]["done"] < under_way["steps"]["of"]
    assert "two" in under_way["text"]

    site.hold.unlink()
    daemon.reached("InSync")
    assert service(site)["position"] == "three"
    assert site.ledger() == ["begin two", "end two", "begin three", "end three"]
    assert site.schema() == "d3 made_by_three made_by_two"
    assert site.links() == ["three", "three"]

    site.commit("one")
    daemon.reached("InSync")
    assert service(site)["position"] == "one"
    assert rows(site) == before
    assert site.links() == ["one", "one"]

    history = checked(cli(site, "history", "-n", "0", "-o", "json"), "history")
    assert [e["body"]["result"] for e in history["entries"] if e["kind"] == "run_ended"] == ["done", "done"]


def test_run_once_ends_with_0_when_all_is_in_sync(site: Site) -> None:
    site.commit("two")
    done = child(site, "run", "--once", "-o", "json")
    assert done.code == 0, done.err
    assert checked(done, "status")["services"][0]["position"] == "two"
    assert site.links() == ["two", "two"]


def test_run_once_ends_with_1_when_the_canary_is_bad_and_nothing_but_it_was_moved(site: Site) -> None:
    site.commit("two", mode="broken")
    done = child(site, "run", "--once")
    assert done.code == 1
    assert "Halted" in done.out
    assert "CanaryFailed" in done.out
    assert "status 500" in done.out
    assert site.links() == ["one", "one"]
    assert site.schema() == "d1"
    moved = [e for e in cli(site, "history", "-n", "0", "-o", "json").json["entries"] if "roll" in e["step"]]
    assert not [e["step"] for e in moved if e["step"].endswith("@beta")]

    # Whoever comes first to it finds out what happened, where, and what to do.
    why = cli(site, "why", "demo")
    assert why.code == 0
    assert "alpha" in why.text
    assert "status 500" in why.text
    (halt,) = checked(cli(site, "status", "-o", "json"), "status")["halts"]
    assert "alpha" in halt["text"]
    assert halt["hint"]

    # No daemon runs: what is asked for is kept, and the next one does it.
    kept = cli(site, "retry", "demo", "--why", "mended", "--wait", "0")
    assert kept.code == 0
    assert "next daemon" in kept.text
    site.commit("two")
    assert child(site, "run", "--once").code == 0
    assert checked(cli(site, "status", "-o", "json"), "status")["halts"] == []
    assert site.links() == ["two", "two"]
