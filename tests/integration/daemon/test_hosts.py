"""Hosts whose keys nobody knows, or that show others than they used to."""

from __future__ import annotations

from collections.abc import Callable

import asyncssh
import pytest

from tests.integration.daemon.daemon import Daemon, checked, cli
from tests.integration.daemon.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.daemon]


def lines(site: Site) -> list[str]:
    return site.known_hosts.read_text().splitlines(keepends=True)


def test_a_host_whose_key_is_unknown_is_left_alone_until_it_is_enrolled(
    site: Site, start: Callable[[], Daemon]
) -> None:
    pinned = lines(site)
    site.known_hosts.write_text(pinned[0])
    site.commit("two")
    daemon = start()
    status = daemon.reached("Blocked")
    assert status["hosts"] == {"known": 1, "unknown": 1, "total": 2}
    assert status["services"][0]["reason"] == "HostKeyUnknown"
    said = cli(site, "status").text
    assert "beta" in said
    assert "reconciler enrol beta" in said
    assert "beta" in cli(site, "why", "demo@beta").text
    assert site.ledger() == []
    pre = cli(site, "check", "--pre", "-o", "json")
    assert pre.code == 1
    assert [each["check"] for each in pre.json["checks"] if not each["ok"]] == ["host beta"]

    enrolled = cli(site, "enrol", "beta", "--yes")
    assert enrolled.code == 0, enrolled.text
    assert "SHA256:" in enrolled.text
    daemon.reached("InSync")
    assert site.links() == ["two", "two"]


def test_a_host_that_shows_another_key_is_left_alone_until_somebody_says_replace(
    site: Site, start: Callable[[], Daemon]
) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    first, second = lines(site)
    place = second.split()[0]
    site.known_hosts.write_text(f"{first}{place} {other}")
    daemon = start()
    status = daemon.reached("Blocked")
    assert status["services"][0]["reason"] == "HostKeyChanged"
    said = cli(site, "status").text
    assert "enrol beta --replace" in said

    refused = cli(site, "enrol", "beta", "--yes")
    assert refused.code == 1
    assert "another key is pinned" in refused.err
    wrong = cli(site, "enrol", "beta", "--replace", "--fingerprint", "SHA256:no")
    assert wrong.code == 1
    assert "nothing was pinned" in wrong.err
    assert cli(site, "enrol", "gamma", "--yes").code == 1
    shown = asyncssh.import_public_key(second.partition(" ")[2]).get_fingerprint()
    assert cli(site, "enrol", "beta", "--replace", "--fingerprint", shown).code == 0
    daemon.reached("InSync")
    assert len(lines(site)) == 2
    checked(cli(site, "status", "-o", "json"), "status")
