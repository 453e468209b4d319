"""A whole daemon whose step takes away the way by which it would go on."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.daemon.daemon import Daemon, checked, cli
from tests.integration.daemon.site import Site
from tests.support.sshd import Sshd

pytestmark = [pytest.mark.integration, pytest.mark.daemon]

REWIRED = """
procedures:
  rewired:
    text: Stop and move the hosts one by one, with a network that is changed in between.
    leg: route
    phases:
      - {{phase: backup, on: bootstrap, steps: [backup]}}
      - {{phase: migrate, each: hop, on: bootstrap, steps: [prepare_build, configure, schema]}}
      - phase: roll
        on: wave
        steps:
          - action: command
            name: rewire
            argv: [{tools}/rewire, {pid}, {root}/ledger, "{{host}}"]
            cuts_link: {{revert: [{tools}/wire-back, {pid}, {root}/ledger], within_s: 10}}
          - prepare_build
          - install_build
          - restart
          - verify_build
"""


@pytest.fixture
def alpha(servers: tuple[Sshd, Sshd], tools: Path) -> Iterator[Sshd]:
    """The first host, whose sshd the step stops: what is connected lives on, and nobody new comes in."""
    for name, does in (("rewire", "STOP"), ("wire-back", "CONT")):
        text = f'#!/bin/sh\nkill -{does} "$1"\necho {name} $3 >>"$2"\n'
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    yield servers[0]
    servers[0].process.send_signal(signal.SIGCONT)


def results(site: Site, step: str) -> list[dict[str, str]]:
    entries = checked(cli(site, "history", "-n", "0", "-o", "json"), "history")["entries"]
    return [entry["body"] for entry in entries if entry["kind"] == "result" and step in entry["step"]]


def test_a_host_that_was_cut_off_comes_back_though_the_daemon_was_restarted_meanwhile(
    site: Site, daemon: Daemon, start: Callable[..., Daemon], alpha: Sshd
) -> None:
    files = site.files("two")
    fleet = files["fleet.yaml"].replace("procedure: fast-forward", "procedure: rewired")
    words = {"tools": site.tools, "pid": alpha.process.pid, "root": site.root}
    site.push(files | {"fleet.yaml": fleet + REWIRED.format(**words)})
    daemon.wait(lambda: "rewire alpha" in site.ledger(), lambda: cli(site, "status").text)
    daemon.kill()
    after = start()
    after.until(lambda s: s["halts"], "the halt")
    assert "wire-back" in site.ledger()
    assert results(site, "rewire")[0]["reason"] == "LinkCut"
    text = cli(site, "history", "-n", "0").text
    assert "took no new connection within 10 s after it, and took it back by itself" in text
