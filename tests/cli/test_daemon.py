"""The daemon and the verbs that speak with it, over real SSH, git, SQLite and HTTP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Call, conforms
from tests.cli.site import Site
from tests.support.sshd import running_sshd

pytestmark = pytest.mark.integration


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_sshd(tmp_path / "sshd") as sshd:
        yield Site(tmp_path, sshd)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except urllib.error.URLError:
        return 0, ""


def test_from_enrolment_to_a_fleet_in_sync(call: Call, site: Site):
    config = site.settings()
    site.want(site.fleet())

    unpinned = call("check", "--pre", "-c", config)
    assert unpinned.exit_code == 1
    assert "reconciler enrol" in unpinned.stdout
    pinned = call("enrol", "ks1", "-c", config, typed="y\n")
    assert pinned.exit_code == 0, pinned.stderr
    assert "SHA256:" in pinned.stdout
    assert call("check", "--pre", "-c", config).exit_code == 0

    observed = call("observe", "-c", config, "-o", "json")
    conforms("observe", observed.stdout)
    (site.folder / "seen.json").write_text(observed.stdout)
    (site.folder / "desired").mkdir()
    (site.folder / "desired/fleet.yaml").write_text(site.fleet())
    same = call("diff", site.folder / "desired", "--observed", site.folder / "seen.json")
    assert (same.exit_code, same.stdout) == (0, "no difference\n")

    once = call("run", "--once", "-c", config)
    assert once.exit_code == 0, once.output
    status = conforms("status", call("status", "-c", config, "-o", "json").stdout)
    assert status["services"][0]["verdict"] == "InSync"
    assert status["revision"] == site.head
    assert status["hosts"] == {"known": 1, "unknown": 0, "total": 1}
    assert conforms("plan", call("plan", "-c", config, "-o", "json").stdout)["changes"] is False
    assert conforms("diff", call("diff", "-c", config, "-o", "json").stdout)["differs"] is False
    history = conforms("history", call("history", "-c", config, "-o", "json").stdout)
    assert [entry["kind"] for entry in history["entries"]] == ["revision_accepted"]
    assert "the chain of hashes is whole" in call("history", "--verify", "-c", config).stdout
    assert conforms("backups", call("backups", "-c", config, "-o", "json").stdout) == {"sets": []}
    assert "no backup set" in call("backups", "keystone", "-c", config).stderr
    assert "as desired" in call("why", "keystone@ks1", "-c", config).stdout
    assert "did you mean keystone?" in call("why", "keyston", "-c", config).stderr


def test_a_host_without_a_pinned_key_is_unknown_and_said_so(call: Call, site: Site):
    config = site.settings()
    site.want(site.fleet("2026.1"))
    once = call("run", "--once", "-c", config)
    assert once.exit_code == 1
    assert "HostKeyUnknown" in once.stdout
    assert call("diff", "-c", config).exit_code == 1  # the database alone tells that it differs
    status = conforms("status", call("status", "-c", config, "-o", "json").stdout)
    assert status["hosts"]["unknown"] == 1
    assert status["services"][0]["verdict"] == "Blocked"


def test_an_invalid_commit_is_refused_and_named(call: Call, site: Site):
    config = site.settings()
    site.want("fleet: {nam: x}\n")
    once = call("run", "--once", "-c", config, "-o", "json")
    assert once.exit_code == 1
    status = conforms("status", once.stdout)
    assert status["revision"] == ""
    assert any("fleet.yaml:1:9: unknown key 'nam'" in problem["text"] for problem in status["problems"])


def test_enrol_pins_only_what_was_compared(call: Call, site: Site):
    config = site.settings()
    address = ("--address", "127.0.0.1", "--port", str(site.sshd.port), "-c", config)
    assert call("enrol", "ks1", *address, typed="n\n").exit_code == 1
    wrong = call("enrol", "ks1", *address, "--fingerprint", "SHA256:other")
    assert wrong.exit_code == 1
    assert "nothing was pinned" in wrong.stderr
    assert not (site.folder / "known_hosts").exists()
    (site.folder / "known_hosts").write_text(
        f"[127.0.0.1]:{site.sshd.port} {(site.sshd.folder / 'client_key.pub').read_text()}"
    )
    assert call("enrol", "ks1", *address, "--yes").exit_code == 1
    assert "replaced" in call("enrol", "ks1", *address, "--yes", "--replace").stdout
    assert "already" in call("enrol", "ks1", *address, "--yes").stdout


def test_a_daemon_serves_answers_and_ends_on_a_signal(call: Call, site: Site):
    port = free_port()
    config = site.settings(port)
    site.want(site.fleet())
    site.trust()
    supervisor = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    supervisor.bind(str(site.folder / "notify"))
    argv = [sys.executable, "-m", "reconciler", "run", "-c", str(config)]
    env = {**os.environ, "NOTIFY_SOCKET": str(site.folder / "notify")}
    daemon = subprocess.Popen(argv, env=env, stderr=subprocess.PIPE, text=True)
    try:
        supervisor.settimeout(60)
        assert [supervisor.recv(100), supervisor.recv(100)] == [b"READY=1", b"WATCHDOG=1"]
        until(lambda: get(port, "/readyz")[0] == 200)
        assert get(port, "/livez") == (200, "ok\n")
        until(lambda: 'reconciler_hop_state{service="keystone",state="in_sync"} 1.0' in get(port, "/metrics")[1])

        suspended = call("suspend", "keystone", "--why", "a test", "-c", config)
        assert suspended.stdout == "keystone is suspended; running steps go on\n"
        refused = call("suspend", "nova", "--why", "a test", "-c", config)
        assert refused.exit_code == 1
        assert "no service or group 'nova'" in refused.stderr
        assert call("retry", "keystone", "-c", config).exit_code == 1
        assert call("clear-halt", "h9", "-c", config).exit_code == 1
        until(lambda: 'suspended="true"' in get(port, "/metrics")[1])
        assert call("resume", "keystone", "-c", config).exit_code == 0
        second = call("run", "--once", "-c", config)
        assert second.exit_code == 1
        assert "another daemon" in second.stderr

        daemon.send_signal(signal.SIGTERM)
        _, said = daemon.communicate(timeout=30)
        assert daemon.returncode == 0, said
        assert "Traceback" not in said
    finally:
        supervisor.close()
        daemon.kill()
        daemon.wait()
    entries = conforms("history", call("history", "-c", config, "-o", "json").stdout)["entries"]
    assert [entry["kind"] for entry in entries][1:] == ["suspended", "resumed"]
    assert entries[1]["body"]["why"] == "a test"


def test_commands_are_kept_while_no_daemon_runs(call: Call, site: Site):
    config = site.settings()
    site.want(site.fleet())
    site.trust()
    assert call("run", "--once", "-c", config).exit_code == 0
    kept = call("suspend", "--why", "a night without surprises", "--wait", "0", "-c", config)
    assert kept.exit_code == 0
    assert "No daemon has answered yet" in kept.stderr
    call("run", "--once", "-c", config)
    status = conforms("status", call("status", "-c", config, "-o", "json").stdout)
    assert status["suspensions"][0]["why"] == "a night without surprises"


def test_a_watch_shows_each_change_until_it_is_interrupted(call: Call, site: Site):
    config = site.settings()
    site.want(site.fleet())
    site.trust()
    assert call("run", "--once", "-c", config).exit_code == 0
    watch = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "status", "--watch", "-c", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert watch.stdout is not None
        assert watch.stdout.readline().startswith("site at revision")
        watch.send_signal(signal.SIGINT)
        _, said = watch.communicate(timeout=30)
        assert watch.returncode == 130
        assert said == ""
    finally:
        watch.kill()
        watch.wait()


def test_where_no_daemon_ever_ran_verbs_say_so(call: Call, site: Site):
    config = site.settings()
    for argv in (("status",), ("plan",), ("history",), ("why", "keystone"), ("resume",), ("retry", "keystone")):
        found = call(*argv, "-c", config)
        assert found.exit_code == 1
        assert found.stdout == ""
        assert found.stderr.startswith("error: ")
    assert call("diff", "-c", config).exit_code == 2


def test_wrong_settings_are_all_named(call: Call, site: Site):
    site.config.write_text('[source]\nurl = "ftp://x"\n[web]\nlisen = "x"\n')
    found = call("status", "-c", site.config)
    assert found.exit_code == 1
    assert "ftp" not in found.stdout
    assert "listen" in found.stderr
    assert "source.url" in found.stderr
    assert call("status", "-c", site.folder / "none.toml").exit_code == 1
