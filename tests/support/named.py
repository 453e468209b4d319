"""A private BIND: one zone, one key, loopback, free port, thrown away at the end."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.debian import program
from tests.support.net import await_port, free_port

KEY = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0ISE="

CONF = """
options {{
  directory "{folder}"; pid-file "{folder}/pid"; session-keyfile "{folder}/session.key"; managed-keys-directory "{folder}";
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no; allow-transfer {{ none; }}; notify no;
}};
controls {{ }};
key "mover" {{ algorithm hmac-sha256; secret "{key}"; }};
zone "example.org" {{ type primary; file "{folder}/zone"; allow-update {{ key mover; }}; }};
"""
ZONE = """$TTL 60
@ IN SOA ns.example.org. admin.example.org. 1 3600 600 86400 60
@ IN NS ns.example.org.
ns IN A 127.0.0.1
nova IN A 192.0.2.1
"""


@dataclass
class Named:
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@contextlib.contextmanager
def running_named(folder: Path) -> Iterator[Named]:
    """Start a server for `example.org` whose key `mover` is KEY, until the end of the block."""
    port = free_port()
    (folder / "named.conf").write_text(CONF.format(folder=folder, port=port, key=KEY))
    (folder / "zone").write_text(ZONE)
    argv = [program("named", "bind9"), "-g", "-n", "1", "-U", "1", "-c", str(folder / "named.conf")]
    with (folder / "log").open("wb") as log:
        server = Named(port, subprocess.Popen(argv, stdout=log, stderr=log), folder / "log")
    try:
        await_port(port)
        _await_zone(server)
        yield server
    finally:
        server.stop()


def _await_zone(server: Named) -> None:
    end = time.monotonic() + 20
    while "running" not in server.log.read_text():
        if time.monotonic() > end:
            raise RuntimeError(f"named does not start: {server.log.read_text()[-2000:]}")
        time.sleep(0.05)
