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
            argv: {argv}
            {back}
            cuts_link: {{{guard}: [{tools}/wire-back, {pid}, {root}/ledger], {rest}within_s: 10}}
          - prepare_build
          - install_build
          - restart
          - verify
"""


@pytest.fixture
def alpha(servers: tuple[Sshd, Sshd], tools: Path) -> Iterator[Sshd]:
    """The first host, whose sshd the step stops: what is connected lives on, and nobody new comes in."""
    for name, does in (("wire", "0"), ("rewire", "STOP"), ("wire-back", "CONT")):
        text = f'#!/bin/sh\nkill -{does} "$1"\necho {name} $3 >>"$2"\n'
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    yield servers[0]
    servers[0].process.send_signal(signal.SIGCONT)


def rewired(site: Site, alpha: Sshd, argv: str, back: str = "", mode: str = "good") -> dict[str, str]:
    """Write a leg to release two that runs a tool on each host, and another one on its way back."""
    where = f'{alpha.process.pid}, {site.root}/ledger, "{{host}}"]'
    words = {"tools": site.tools, "pid": alpha.process.pid, "root": site.root, "argv": f"[{site.tools}/{argv}, {where}"}
    words["back"] = f"back: [{site.tools}/{back}, {where}" if back else ""
    words["guard"], words["rest"] = ("again", "revert: [/bin/false], ") if back else ("revert", "")
    files = site.files("two", mode)
    fleet = files["fleet.yaml"].replace("procedure: fast-forward", "procedure: rewired")
    return files | {"fleet.yaml": fleet + REWIRED.format(**words)}


def results(site: Site, step: str) -> list[dict[str, str]]:
    entries = checked(cli(site, "history", "-n", "0", "-o", "json"), "history")["entries"]
    return [entry["body"] for entry in entries if entry["kind"] == "result" and step in entry["step"]]


def test_a_host_that_was_cut_off_comes_back_though_the_daemon_was_restarted_meanwhile(
    site: Site, daemon: Daemon, start: Callable[..., Daemon], alpha: Sshd
) -> None:
    site.push(rewired(site, alpha, argv="rewire"))
    daemon.wait(lambda: "rewire alpha" in site.ledger(), lambda: cli(site, "status").text)
    daemon.kill()
    after = start()
    after.until(lambda s: s["halts"], "the halt")
    assert "wire-back" in site.ledger()
    assert results(site, "rewire")[0]["reason"] == "LinkCut"
    text = cli(site, "history", "-n", "0").text
    assert "took no new connection within 10 s after it, and took it back by itself" in text


def test_a_way_back_that_cuts_its_host_off_leaves_it_where_it_was(site: Site, daemon: Daemon, alpha: Sshd) -> None:
    site.push(rewired(site, alpha, argv="wire", back="rewire", mode="broken"))
    daemon.until(lambda s: "BackOutFailed" in {halt["reason"] for halt in s["halts"]}, "the halt of the way back")
    assert [line for line in site.ledger() if "wire" in line] == ["wire alpha", "rewire alpha", "wire-back"]
    assert results(site, "back.")[-1]["reason"] == "LinkCut"
