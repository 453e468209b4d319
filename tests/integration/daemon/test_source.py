"""Commits that must not be followed, and a repository that is away."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.daemon.daemon import Daemon, cli
from tests.integration.daemon.site import Site
from tests.support.signers import line, real_key

pytestmark = [pytest.mark.integration, pytest.mark.daemon]


def test_an_invalid_commit_is_named_by_place_and_the_last_good_one_stays(site: Site, daemon: Daemon) -> None:
    good = site.head
    files = site.files("two")
    text = files["fleet.yaml"].replace("release: two", "release: twp").replace("procedure: fast", "procedure: past")
    bad = site.push(files | {"fleet.yaml": text})
    line = text.splitlines().index("    release: twp") + 1
    status = daemon.until(lambda s: s["problems"], "a problem")
    assert status["revision"] == good
    assert status["source"]["head"] == bad
    texts = [each["text"] for each in status["problems"]]
    assert len(texts) == 2, texts
    assert texts[0].startswith(f"fleet.yaml:{line}:14: ")
    assert status["services"][0]["verdict"] == "InSync"
    assert site.ledger() == []

    for said in (cli(site, "status"), cli(site, "why", "demo")):
        assert said.code == 0
        assert f"fleet.yaml:{line}:14: " in said.text
        assert bad[:12] in said.text
        assert "did you mean two?" in said.text
    assert daemon.log.count(f"fleet.yaml:{line}:14: ") == 1
    refused = [e for e in cli(site, "history", "-o", "json").json["entries"] if e["kind"] == "revision_refused"]
    assert [e["body"]["revision"] for e in refused] == [bad]

    site.commit("two")
    daemon.reached("InSync")
    assert site.links() == ["two", "two"]
    assert cli(site, "status", "-o", "json").json["problems"] == []


def test_a_rewritten_history_waits_for_somebody_to_accept_it(site: Site, daemon: Daemon) -> None:
    good = site.head
    rewritten = site.push(site.files("two"), rewrite=True)
    status = daemon.until(lambda s: s["source"]["problem"], "a refusal")
    assert status["source"]["problem"] == "HistoryRewritten"
    assert status["revision"] == good
    assert status["services"][0]["desired"] == "one"
    said = cli(site, "status").text
    assert rewritten[:12] in said
    assert f"reconciler accept-history {rewritten}" in said

    short = cli(site, "accept-history", rewritten[:12])
    assert short.code == 2
    assert "whole" in short.err
    mistyped = cli(site, "accept-history", "0" * 40)
    assert mistyped.code == 1
    assert f"the newest commit is {rewritten}" in mistyped.text
    accepted = cli(site, "accept-history", rewritten, "--why", "squashed by us", SUDO_USER="ada")
    assert accepted.code == 0, accepted.text
    daemon.reached("InSync")
    assert site.links() == ["two", "two"]
    entry = next(e for e in cli(site, "history", "-o", "json").json["entries"] if e["kind"] == "history_accepted")
    assert entry["body"]["by"].startswith("ada ")
    assert entry["body"]["why"] == "squashed by us"


def test_a_repository_that_is_away_stops_nothing(site: Site, daemon: Daemon) -> None:
    site.hold.touch()
    site.commit("two")
    daemon.wait(lambda: site.ledger() == ["begin two"])
    away = site.repo.path.with_name("away.git")
    site.repo.path.rename(away)
    status = daemon.until(lambda s: s["source"]["problem"], "trouble with the source")
    assert status["source"]["problem"] == "SourceUnreachable"
    assert "fleet.git" in status["source"]["text"]
    assert "SourceUnreachable" in cli(site, "status").text
    site.hold.unlink()
    daemon.reached("InSync")
    assert site.links() == ["two", "two"]

    away.rename(site.repo.path)
    site.commit("three")
    daemon.reached("InSync")
    assert daemon.log.count("SourceUnreachable") == 1
    assert "in force again" in daemon.log


def signed(site: Site, release: str, *parents: str) -> str:
    """Commit a release as Ada signs it."""
    tree = site.repo.files({path: text.encode() for path, text in site.files(release).items()})
    site.head = site.repo.commit(tree, *parents, key=site.root / "ada")
    return site.head


def test_a_commit_that_nobody_has_signed_is_not_followed(site: Site, start: Callable[..., Daemon]) -> None:
    signers = site.root / "allowed_signers"
    signers.write_text(line("ada", real_key(site.root / "ada")))
    wanted = f'[source]\nsignatures = "strict"\nallowed_signers = "{signers}"\n'
    site.config.write_text(site.config.read_text().replace("[source]\n", wanted))
    good = signed(site, "one", site.head)
    daemon = start()
    daemon.reached("InSync")

    pushed = site.commit("two")
    status = daemon.until(lambda s: s["source"]["problem"], "a refusal")
    assert (status["source"]["problem"], status["revision"]) == ("SourceUnverified", good)
    said = cli(site, "status").text
    assert pushed[:12] in said
    assert "bears no signature" in said
    assert site.links() == ["one", "one"]

    signed(site, "two", good)
    daemon.reached("InSync")
    assert site.links() == ["two", "two"]
    kinds = [e["kind"] for e in cli(site, "history", "-n", "0", "-o", "json").json["entries"]]
    assert kinds.count("revision_refused") == 1
