"""Judgement, end to end: a real daemon, real sshd, git, a database, and a real Prometheus."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.daemon.daemon import Daemon, Status, checked, cli
from tests.integration.daemon.site import Site
from tests.support.net import free_port
from tests.support.prometheus import Gauge, running_prometheus

pytestmark = [pytest.mark.integration, pytest.mark.daemon]

NAME = "  name: site\n"


def rows(site: Site) -> list[str]:
    with closing(sqlite3.connect(site.database)) as connection:
        return list(connection.iterdump())


def with_fleet(site: Site, release: str, text: str, old: str = NAME) -> None:
    """Commit a desired state in which something is added to `fleet.yaml`."""
    files = site.files(release)
    assert old in files["fleet.yaml"]
    site.push(files | {"fleet.yaml": files["fleet.yaml"].replace(old, old + text, 1)})


def migrating(site: Site, daemon: Daemon, release: str = "two") -> None:
    site.hold.touch()
    site.commit(release)
    daemon.wait(lambda: site.ledger()[-1:] == ["begin two"])


def results(site: Site) -> list[str]:
    entries = checked(cli(site, "history", "-n", "0", "-o", "json"), "history")["entries"]
    return [entry["body"]["result"] for entry in entries if entry["kind"] == "run_ended"]


def stands(status: Status) -> tuple[str, str]:
    return status["services"][0]["verdict"], status["services"][0]["reason"]


# ---------------------------------------------------------------- windows


def test_a_window_that_closes_in_mid_plan_stops_the_leg_where_it_is_until_it_opens(site: Site, daemon: Daemon) -> None:
    migrating(site, daemon)
    today = datetime.now(UTC).date()
    freeze = f"{{effect: deny, zone: UTC, from: {today - timedelta(days=1)}, until: {today + timedelta(days=1)}}}"
    with_fleet(site, "two", f"  windows:\n    freeze: {freeze}\n")
    daemon.until(lambda s: s["revision"] == site.head, "the freeze")
    site.hold.unlink()
    daemon.until(lambda s: stands(s) == ("Waiting", "WindowClosed"), "the end of the window")
    assert site.ledger() == ["begin two", "end two"]
    assert site.links() == ["one", "one"]
    assert "window freeze denies" in cli(site, "status").text

    site.commit("two")
    daemon.reached("InSync")
    assert site.ledger() == ["begin two", "end two"]
    assert results(site) == ["done"]


# ---------------------------------------------------------------- approvals


def test_a_leg_waits_for_a_person_and_says_what_to_type(site: Site, daemon: Daemon) -> None:
    with_fleet(site, "two", "  approvals: {leg: 1}\n")
    status = daemon.until(lambda s: s["services"] and stands(s) == ("Waiting", "ApprovalMissing"), "the question")
    hint = status["services"][0]["hint"]
    assert "`reconciler approve " in hint
    assert site.ledger() == []
    plan = hint.partition("reconciler approve ")[2].split()[0]

    said = cli(site, "approve", plan, "--why", "read it", SUDO_USER="ada")
    assert said.code == 0, said.text
    daemon.reached("InSync")
    entries = checked(cli(site, "history", "-n", "0", "-o", "json"), "history")["entries"]
    (approved,) = [entry["body"] for entry in entries if entry["kind"] == "approved"]
    assert (approved["plan"], approved["by"].split()[0], approved["why"]) == (plan, "ada", "read it")


# ---------------------------------------------------------------- alerts


@pytest.fixture
def ill() -> Iterator[Gauge]:
    gauge = Gauge(1)
    yield gauge
    gauge.close()


def test_a_leg_waits_while_an_alert_fires_and_its_source_is_silent_and_goes_on_when_it_clears(
    site: Site, daemon: Daemon, ill: Gauge
) -> None:
    port = free_port()
    alert = """{promql: 'ALERTS{alertstate="firing", severity="critical"}', present: 'ALERTS{alertname="Watchdog"}'}"""
    text = f'  prometheus: {{url: "http://127.0.0.1:{port}"}}\n  alerts: {{critical: {alert}}}\n'
    with running_prometheus(site.root / "first", ill, port):
        with_fleet(site, "two", text)
        daemon.until(lambda s: s["services"] and stands(s) == ("Waiting", "AlertFiring"), "the alert")
        said = cli(site, "status").text
        assert 'ALERTS{alertname="FleetIsIll"' in said

    ill.value = 0
    daemon.until(lambda s: stands(s) == ("Waiting", "AlertUnknown"), "the silence")
    assert site.ledger() == []
    assert site.links() == ["one", "one"]

    with running_prometheus(site.root / "second", ill, port):
        daemon.reached("InSync")
    assert site.links() == ["two", "two"]
    assert results(site) == ["done"]


# ---------------------------------------------------------------- analysis


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_prometheus(tmp_path_factory.mktemp("prometheus")) as url:
        yield url


def soaking(site: Site, release: str, url: str, promql: str) -> None:
    """Commit a canary that is watched for long by what Prometheus says."""
    files = site.files(release)
    fleet = files["fleet.yaml"].replace(NAME, f'{NAME}  prometheus: {{url: "{url}"}}\n', 1)
    probe = f"  errors: {{promql: {{query: '{promql}', good: none, present: up, interval_s: 0.2, warmup_s: 5}}}}\n"
    fleet = fleet.replace("probes:\n", f"probes:\n{probe}", 1)
    fleet = fleet.replace("verify: [ready]\n", "verify: [ready, errors]\n    canary: {soak_s: 40}\n", 1)
    site.push(files | {"fleet.yaml": fleet})


def test_a_canary_that_fails_late_by_what_prometheus_says_takes_the_leg_back(
    site: Site, daemon: Daemon, prometheus: str
) -> None:
    before = rows(site)
    late = int(time.time()) + 12
    soaking(site, "two", prometheus, f"(vector(time()) > {late}) < {late + 4}")
    daemon.until(lambda s: "soak" in s["services"][0]["text"], "the soak")
    assert rows(site) != before
    status = daemon.until(lambda s: s["halts"] and stands(s)[0] == "Halted", "the halt")
    (halt,) = status["halts"]
    assert halt["reason"] == "CanaryFailed"
    assert "probe errors: good " in halt["text"]
    assert site.links() == ["one", "one"]
    assert rows(site) == before
    assert results(site) == ["backed_out"]


# ---------------------------------------------------------------- an older goal, in each phase


def test_an_older_goal_while_the_schema_walks_takes_the_leg_back(site: Site, daemon: Daemon) -> None:
    before = rows(site)
    migrating(site, daemon, "three")
    site.commit("one")
    daemon.until(lambda s: s["revision"] == site.head, "the revert")
    site.hold.unlink()
    daemon.reached("InSync")
    assert rows(site) == before
    assert site.links() == ["one", "one"]
    assert results(site) == ["backed_out"]
    assert site.ledger() == ["begin two", "end two"]


def waiting(site: Site, daemon: Daemon, policy: str) -> None:
    """Let a leg come to where it waits for somebody's yes."""
    with_fleet(site, "two", f"  approvals: {policy}\n")
    daemon.until(lambda s: s["services"] and stands(s) == ("Waiting", "ApprovalMissing"), "the question")


def test_an_older_goal_before_the_pause_drops_the_plan(site: Site, daemon: Daemon) -> None:
    waiting(site, daemon, "{leg: 1}")
    site.commit("one")
    daemon.reached("InSync")
    assert results(site) == ["dropped"]
    assert site.ledger() == []


def test_an_older_goal_when_the_canary_has_moved_takes_it_back(site: Site, daemon: Daemon) -> None:
    before = rows(site)
    waiting(site, daemon, "{waves: 1}")
    assert site.links() == ["two", "one"]
    site.commit("one")
    daemon.reached("InSync")
    assert rows(site) == before
    assert site.links() == ["one", "one"]
    assert results(site) == ["backed_out"]


def test_an_older_goal_beyond_the_contract_is_refused_and_says_what_stays(site: Site, daemon: Daemon) -> None:
    rolling(site, "two")
    daemon.reached("InSync")
    assert site.ledger() == ["begin two", "end two", "contract two"]
    rolling(site, "one")
    status = daemon.until(lambda s: s["services"] and stands(s)[0] == "Blocked", "the refusal")
    assert stands(status)[1] == "BeyondNoReturn"
    assert site.links() == ["two", "two"]
    assert site.ledger() == ["begin two", "end two", "contract two"]


def rolling(site: Site, release: str) -> None:
    """Commit a release that is rolled to, with a contract at its end."""
    files = site.files(release)
    fleet = files["fleet.yaml"].replace("procedure: fast-forward", "procedure: zero-downtime")
    commands = "zero_downtime: true, units: [demo], expand: [demo-manage, sync], contract: [demo-manage, contract]"
    catalog = files["catalog/demo.yaml"].replace("zero_downtime: false, units: [demo]", commands)
    assert (fleet, catalog) != (files["fleet.yaml"], files["catalog/demo.yaml"])
    site.push(files | {"fleet.yaml": fleet, "catalog/demo.yaml": catalog})


def test_a_revert_of_a_revert_is_a_third_run_and_its_revert_a_fourth(site: Site, daemon: Daemon) -> None:
    before = rows(site)
    for release in ("two", "one", "two", "one"):
        site.commit(release)
        daemon.reached("InSync")
    assert rows(site) == before
    assert site.ledger() == ["begin two", "end two"] * 2
    assert results(site) == ["done"] * 4


def test_two_reverts_at_once_go_back_leg_by_leg(site: Site, daemon: Daemon) -> None:
    before = rows(site)
    for release in ("two", "three"):
        site.commit(release)
        daemon.reached("InSync")
    site.commit("one")
    daemon.reached("InSync")
    assert rows(site) == before
    assert site.links() == ["one", "one"]
    assert results(site) == ["done"] * 4


def test_a_goal_between_takes_back_the_last_leg_alone(site: Site, daemon: Daemon) -> None:
    site.commit("two")
    daemon.reached("InSync")
    middle = rows(site)
    site.commit("three")
    daemon.reached("InSync")
    site.commit("two")
    daemon.reached("InSync")
    assert rows(site) == middle
    assert site.links() == ["two", "two"]
