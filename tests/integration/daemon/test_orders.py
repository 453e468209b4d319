"""What people tell the daemon by command."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.daemon.daemon import Daemon, checked, cli
from tests.integration.daemon.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.daemon]


def bodies(site: Site, kind: str) -> list[dict[str, Any]]:
    entries = checked(cli(site, "history", "-n", "0", "-o", "json"), "history")["entries"]
    return [entry["body"] for entry in entries if entry["kind"] == kind]


def test_a_suspended_service_starts_nothing_until_it_is_resumed(site: Site, daemon: Daemon) -> None:
    suspended = cli(site, "suspend", "demo", "--why", "change freeze", SUDO_USER="ada")
    assert suspended.code == 0, suspended.text
    site.commit("two")
    status = daemon.reached("Suspended")
    assert [(each["scope"], each["why"]) for each in status["suspensions"]] == [("demo", "change freeze")]
    said = cli(site, "status").text
    assert "ada" in said
    assert "change freeze" in said
    assert site.ledger() == []

    # What would be done is known all the same, and anybody can work it out from a clone and one look.
    seen = site.root / "seen.json"
    looked = cli(site, "observe", "-o", "json")
    checked(looked, "observe")
    seen.write_text(looked.out)
    ours = cli(site, "plan", "-o", "json")
    theirs = cli(site, "plan", site.folder(release="two"), "--observed", seen, "-o", "json")
    assert checked(ours, "plan")["changes"]
    assert checked(theirs, "plan") == ours.json
    assert [step["id"] for step in ours.json["steps"] if step["kind"] == "schema_sync"]

    differs = cli(site, "diff", "-o", "json")
    assert differs.code == 1
    assert checked(differs, "diff")["differs"]
    assert cli(site, "diff", site.folder(release="two"), "--observed", seen).code == 1
    assert cli(site, "diff", site.folder(release="one"), "--observed", seen).code == 0
    assert cli(site, "diff", site.folder(release="one"), "--observed", site.root / "none.json").code == 2

    resumed = cli(site, "resume", "demo")
    assert resumed.code == 0, resumed.text
    daemon.reached("InSync")
    assert [body["by"].split()[0] for body in bodies(site, "suspended")] == ["ada"]
    assert len(bodies(site, "resumed")) == 1
    assert cli(site, "diff").code == 0


def test_a_halt_is_cleared_and_what_failed_is_held_until_retry(site: Site, daemon: Daemon) -> None:
    site.commit("two", mode="broken")
    status = daemon.reached("Halted")
    (halt,) = status["halts"]
    assert halt["reason"] == "CanaryFailed"

    cleared = cli(site, "clear-halt", halt["id"], "--why", "seen", SUDO_USER="ada")
    assert cleared.code == 0, cleared.text
    assert "held" in cleared.text
    held = daemon.until(lambda s: not s["halts"] and s["services"][0]["reason"] == "Held", "a hold")
    assert "retry" in held["services"][0]["hint"]
    assert [(body["id"], body["by"].split()[0]) for body in bodies(site, "halt_cleared")] == [(halt["id"], "ada")]

    retried = cli(site, "retry", "demo", "--why", "once more", SUDO_USER="bob")
    assert retried.code == 0, retried.text
    daemon.until(lambda s: s["services"][0]["verdict"] == "Halted", "the second failure")
    assert [body["by"].split()[0] for body in bodies(site, "hold_released")] == ["bob"]
    assert site.ledger() == ["begin two", "end two"] * 2
    assert site.links() == ["one", "one"]


def test_an_order_that_makes_no_sense_is_refused_with_the_reason(site: Site, daemon: Daemon) -> None:
    for words, text in {
        ("suspend", "demp", "--why", "x"): "did you mean demo?",
        ("resume", "demo"): "not suspended",
        ("retry", "demo"): "nothing of demo failed",
        ("clear-halt", "h7"): "no open halt",
    }.items():
        refused = cli(site, *words)
        assert refused.code == 1, words
        assert text in refused.text, words
