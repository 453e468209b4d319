"""A daemon that ends in mid-step, and the one that comes after it."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from contextlib import suppress

import httpx
import pytest

from reconciler.web.line import ask
from tests.integration.daemon.daemon import Daemon, child, cli
from tests.integration.daemon.site import Site
from tests.support.net import free_port

pytestmark = [pytest.mark.integration, pytest.mark.daemon]


def migrating(site: Site, daemon: Daemon) -> None:
    """Bring the daemon to where the schema tool runs and does not get on."""
    site.hold.touch()
    site.commit("two")
    daemon.wait(lambda: site.ledger() == ["begin two"])


def once(site: Site) -> None:
    assert site.ledger() == ["begin two", "end two"]
    entries = cli(site, "history", "-n", "0", "-o", "json").json["entries"]
    assert [e["kind"] for e in entries if "schema-sync" in e["step"]] == ["intent", "result"]


def test_sigterm_ends_the_daemon_at_once_and_the_next_one_attaches_to_the_step(
    site: Site, daemon: Daemon, start: Callable[..., Daemon]
) -> None:
    migrating(site, daemon)
    assert daemon.end(signal.SIGTERM) == 0
    assert "Traceback" not in daemon.log
    assert "running steps go on on their hosts" in daemon.log
    assert site.ledger() == ["begin two"]

    after = start()
    after.until(lambda s: s["services"][0]["verdict"] == "Progressing")
    assert cli(site, "status").text.count("Progressing") == 1
    site.hold.unlink()
    after.reached("InSync")
    once(site)


def test_a_step_that_ended_while_the_daemon_was_dead_is_not_done_again(
    site: Site, daemon: Daemon, start: Callable[..., Daemon]
) -> None:
    migrating(site, daemon)
    assert daemon.end(signal.SIGKILL) == -signal.SIGKILL
    site.hold.unlink()
    start().reached("InSync")
    once(site)


def test_settings_are_read_anew_on_sighup_and_wrong_ones_change_nothing(site: Site, daemon: Daemon) -> None:
    migrating(site, daemon)
    old, right = site.web, site.config.read_text()
    site.config.write_text(right.replace("[web]\n", "[web]\nlisen = 1\n"))
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait(lambda: "those of before hold" in daemon.log)
    assert "web.lisen" in daemon.log
    assert "reconciler_settings_valid 0.0" in metrics(old)

    new = free_port()
    site.config.write_text(right.replace(f":{old}", f":{new}"))
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait(lambda: answers(new))
    assert "reconciler_settings_valid 1.0" in metrics(new)
    assert not answers(old)
    site.hold.unlink()
    daemon.reached("InSync")
    once(site)
    assert daemon.end(signal.SIGTERM) == 0
    assert "Traceback" not in daemon.log


def test_one_that_stands_by_reads_its_settings_anew_too(
    site: Site, daemon: Daemon, start: Callable[..., Daemon]
) -> None:
    second = start()
    second.wait(lambda: "standing by" in second.log)
    second.process.send_signal(signal.SIGHUP)
    second.wait(lambda: second.log.count("standing by") > 2)
    assert "begun anew" in second.log
    daemon.kill()
    second.reached("InSync")


def test_run_once_ends_on_sigterm_too(site: Site, start: Callable[..., Daemon]) -> None:
    site.hold.touch()
    site.commit("two")
    daemon = start("--once")
    daemon.wait(lambda: site.ledger() == ["begin two"])
    assert daemon.end(signal.SIGTERM) == 1
    site.hold.unlink()
    start().reached("InSync")
    once(site)


def test_a_second_daemon_stands_by_says_who_leads_and_leads_when_that_one_is_gone(
    site: Site, daemon: Daemon, start: Callable[..., Daemon]
) -> None:
    port = free_port()
    second = start(RECONCILER_WEB__LISTEN=f"127.0.0.1:{port}")
    second.wait(lambda: "standing by" in second.log)
    second.wait(lambda: answers(port))
    ready = httpx.get(f"http://127.0.0.1:{port}/readyz")
    assert (ready.status_code, f"pid {daemon.process.pid}" in ready.text) == (503, True)
    assert httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 200
    assert "reconciler_leader 0.0" in httpx.get(f"http://127.0.0.1:{port}/metrics").text

    migrating(site, daemon)
    daemon.kill()
    site.hold.unlink()
    second.reached("InSync")
    once(site)
    assert "reconciler_leader 1.0" in httpx.get(f"http://127.0.0.1:{port}/metrics").text


def test_a_leader_whose_store_another_took_ends_and_stands_by_when_it_is_started_anew(
    site: Site, daemon: Daemon, start: Callable[..., Daemon]
) -> None:
    (site.state / "journal.sqlite.lock").unlink()
    leader = start(RECONCILER_WEB__LISTEN="127.0.0.1:0")
    leader.reached("InSync")
    site.commit("two")
    assert daemon.process.wait(4 * daemon.patience_s) == 1  # an idle one writes every half a minute
    assert "the lease of epoch 1 is lost" in daemon.log
    assert "Find out which of the two should run" in daemon.log
    assert "Traceback" not in daemon.log
    leader.reached("InSync")
    once(site)
    assert leader.process.poll() is None
    anew = start()
    anew.wait(lambda: "standing by" in anew.log)


def test_one_that_stands_by_ends_when_it_is_told_to(site: Site, daemon: Daemon, start: Callable[..., Daemon]) -> None:
    second = start()
    second.wait(lambda: "standing by" in second.log)
    assert second.end(signal.SIGTERM) == 0
    assert daemon.process.poll() is None


def test_one_that_stands_by_leaves_the_leader_its_socket(site: Site, start: Callable[..., Daemon]) -> None:
    place = site.root / "web.sock"
    site.config.write_text(site.config.read_text().replace("[web]\n", f'[web]\nsocket = "{place}"\n'))
    start().reached("InSync")
    second = start()
    second.wait(lambda: "standing by" in second.log)
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(place))
        assert ask(line.makefile("rwb"), "livez").body == b"ok\n"
    assert second.end(signal.SIGTERM) == 0
    assert place.exists()


def metrics(port: int) -> str:
    return httpx.get(f"http://127.0.0.1:{port}/metrics").text


def answers(port: int) -> bool:
    with suppress(httpx.TransportError):
        return bool(httpx.get(f"http://127.0.0.1:{port}/livez"))
    return False


def test_run_once_beside_a_daemon_is_refused_and_says_who_is_there(site: Site, daemon: Daemon) -> None:
    second = child(site, "run", "--once")
    assert second.code == 1
    assert str(site.store) in second.err
    assert f"pid {daemon.process.pid}" in second.err
    assert "hint:" in second.err
    assert "Traceback" not in second.err
    assert daemon.process.poll() is None
