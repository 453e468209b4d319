"""What whoever started the daemon is told."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from reconciler.adapters.supervisor import Supervisor


@pytest.mark.parametrize("kind", ["a path", "an abstract name"])
def test_a_supervisor_hears_that_the_daemon_serves_and_lives(tmp_path: Path, kind: str):
    name = str(tmp_path / "notify")
    address = name if kind == "a path" else f"@{name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.settimeout(5)
        heard.bind(address.replace("@", "\0", 1))
        Supervisor(address).ready()
        Supervisor(address).beat()
        assert [heard.recv(100), heard.recv(100)] == [b"READY=1", b"WATCHDOG=1"]


@pytest.mark.parametrize("address", ["", "/nowhere/notify"], ids=["nobody", "gone"])
def test_nobody_has_to_listen(address: str):
    Supervisor(address).ready()
    Supervisor(address).beat()


def test_a_supervisor_that_does_not_listen_holds_nobody_up(tmp_path: Path):
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(address)
        for _ in range(5000):
            Supervisor(address).beat()
