"""What the daemon serves by HTTP."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.daemon.daemon import Daemon
from tests.integration.daemon.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.daemon]


def get(site: Site, path: str) -> httpx.Response | None:
    try:
        return httpx.get(f"http://127.0.0.1:{site.web}{path}", trust_env=False)
    except httpx.TransportError:
        return None


def code(site: Site, path: str) -> int:
    found = get(site, path)
    return found.status_code if found else 0


def series(site: Site) -> dict[str, float]:
    found = get(site, "/metrics")
    assert found is not None
    samples = (sample for family in text_string_to_metric_families(found.text) for sample in family.samples)
    return {
        each.name + "".join(f" {key}={each.labels[key]}" for key in sorted(each.labels)): each.value for each in samples
    }


def test_a_daemon_is_ready_after_its_first_look(site: Site, start: Callable[[], Daemon]) -> None:
    process = site.servers[0].process.pid
    os.kill(process, signal.SIGSTOP)  # accepts connections and says nothing
    try:
        daemon = start()
        daemon.until(lambda s: s["revision"] == site.head, "the revision")
        daemon.wait(lambda: code(site, "/livez") == 200)
        found = get(site, "/readyz")
        assert found is not None
        assert found.status_code == 503
        assert "[-]fleet not ready" in found.text
        assert "[+]store ok" in found.text
    finally:
        os.kill(process, signal.SIGCONT)
    daemon.reached("InSync")
    daemon.wait(lambda: code(site, "/readyz") == 200)
    assert code(site, "/healthz") == 200
    assert code(site, "/other") == 404

    site.commit("two", mode="broken")
    daemon.reached("Halted")
    daemon.wait(lambda: series(site)["reconciler_halts service=demo"] == 1)
    found_series = series(site)
    for name, value in {
        "reconciler_desired_state_valid": 1,
        f"reconciler_desired_revision_info revision={site.head}": 1,
        "reconciler_hop_state service=demo state=halted": 1,
        "reconciler_hop_state service=demo state=in_sync": 0,
        "reconciler_hosts service=demo state=known": 2,
        "reconciler_hosts service=demo state=unknown": 0,
        "reconciler_schema_info database=main service=demo version=d1": 1,
        "reconciler_leader": 1,
    }.items():
        assert found_series.get(name) == value, (name, sorted(found_series))

    site.push(site.files("two") | {"fleet.yaml": "fleet: {"})
    daemon.wait(lambda: series(site)["reconciler_desired_state_valid"] == 0)


def test_the_daemon_listens_to_nobody_and_who_listens_has_no_key_open(site: Site, daemon: Daemon) -> None:
    daemon.wait(lambda: code(site, "/livez") == 200)
    pid = daemon.process.pid
    children = [
        int(child) for place in Path(f"/proc/{pid}/task").glob("*/children") for child in place.read_text().split()
    ]
    (web,) = [each for each in children if b"reconciler.web.front" in Path(f"/proc/{each}/cmdline").read_bytes()]
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = {f"socket:[{row[9]}]" for row in rows if row[3] == "0A"}
    of = {each: {str(fd.readlink()) for fd in Path(f"/proc/{each}/fd").iterdir()} for each in (pid, web)}
    assert not of[pid] & listening
    assert len(of[web] & listening) == 1
    assert any(str(site.store) in each for each in of[pid])
    assert [each for each in of[web] if str(site.root) in each and not each.endswith("daemon.log")] == []
    assert Path(f"/proc/{web}/environ").read_bytes() == b""


def test_a_port_that_is_taken_is_named(site: Site, servers: tuple[object, ...]) -> None:
    from tests.integration.daemon.daemon import child

    taken = site.servers[0].port
    site.config.write_text(site.config.read_text().replace(str(site.web), str(taken)))
    ran = child(site, "run")
    assert ran.code == 1
    assert f"127.0.0.1:{taken}" in ran.err
    assert "web.listen" in ran.err
    assert "Traceback" not in ran.err
