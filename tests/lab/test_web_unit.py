"""deploy/systemd/reconciler-web.service under a real systemd: it serves, and whoever takes it over reads nothing."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import reconciler
from tests.lab.lab import Lab, LabHost

pytestmark = [pytest.mark.lab, pytest.mark.asyncio]
ROOT = Path(reconciler.__file__).parent.parent
LIB = "/opt/reconciler/lib"
# The product's own start needs its libraries, which are not on the host; what it starts does not.
DROPIN = f"""\
[Service]
ExecStart=
ExecStart=/usr/bin/python3.11 {LIB}/web.py
"""
WEB = f"""\
import socket, sys
sys.path.insert(0, "{LIB}")
from reconciler.web.front import serve
def connected():
    line = socket.socket(socket.AF_UNIX)
    line.connect("/run/reconciler/web.sock")
    return line
serve(socket.create_server(("127.0.0.1", 9105)), connected)
"""
DAEMON = f"""\
import socketserver, sys, os
sys.path.insert(0, "{LIB}")
from reconciler.web.line import Page, answer
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        answer(self.connection.makefile("rwb"), lambda name: Page(200, b"page " + name.encode()))
server = socketserver.ThreadingUnixStreamServer("/run/reconciler/web.sock", Handler)
os.chmod("/run/reconciler/web.sock", 0o666)
server.serve_forever()
"""


@pytest.fixture
async def host(lab: Lab) -> AsyncIterator[LabHost]:
    """A host with the unit, a key as the daemon's, and something that answers in the daemon's place."""
    found = lab.hosts["h1"]
    code = [
        f"reconciler/{name}.py"
        for name in ("__init__", "errors", "web/__init__", "web/confine", "web/front", "web/line")
    ]
    await upload(found, packed(ROOT, *code), f"mkdir -p {LIB} && tar -xzC {LIB}")
    # Hosts have no Python; this machine is the same Debian, and its own goes over.
    ffi = sorted(str(path.relative_to("/")) for path in Path("/usr/lib").glob("*/libffi.so.*"))
    await upload(found, packed(Path("/"), "usr/bin/python3.11", "usr/lib/python3.11", *ffi), "tar -xzC /")
    unit = (ROOT / "deploy/systemd/reconciler-web.service").read_text()
    for text, path in (
        (unit, "/etc/systemd/system/reconciler-web.service"),
        (DROPIN, "/etc/systemd/system/reconciler-web.service.d/test.conf"),
        (WEB, f"{LIB}/web.py"),
        (DAEMON, f"{LIB}/daemon.py"),
        ("PRIVATE", "/etc/reconciler/fleet_key"),
    ):
        await upload(found, text.encode(), f"mkdir -p {Path(path).parent} && cat >{path}")
    await found.run(
        "chmod 644 /etc/reconciler/fleet_key; systemctl daemon-reload; "
        f"systemd-run -q --unit=stand-in -p RuntimeDirectory=reconciler /usr/bin/python3.11 {LIB}/daemon.py; "
        "systemctl start reconciler-web"
    )
    yield found
    await found.run(
        "systemctl stop reconciler-web stand-in; rm -rf /etc/reconciler /opt/reconciler /usr/bin/python3.11 /usr/lib/python3.11"
        " /etc/systemd/system/reconciler-web.*; systemctl daemon-reload",
        check=False,
    )


def packed(base: Path, *names: str) -> bytes:
    """Pack files and folders, without what Python would make itself."""
    command = ["tar", "-czC", base, "--exclude=__pycache__", "--exclude=test", *names]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


async def upload(host: LabHost, content: bytes, command: str) -> None:
    async with await host.connect() as link:
        done = await link.run(command, input=content, encoding=None)
    assert done.exit_status == 0, done.stderr


async def served(host: LabHost, page: str) -> str:
    command = f"python3.11 -c 'import urllib.request as u; print(u.urlopen(\"http://127.0.0.1:9105/{page}\").read().decode())'"
    async with asyncio.timeout(30):
        while not (said := await host.run(command, check=False)):
            await asyncio.sleep(0.2)
    return said


async def test_the_unit_serves_under_a_user_that_can_read_no_key(host: LabHost) -> None:
    assert await served(host, "metrics") == "page metrics"
    pid = await host.run("systemctl show -P MainPID reconciler-web")
    user = await host.run(f"stat -c %u /proc/{pid}")
    assert user not in {"0", ""}
    assert "not confined" not in await host.run("journalctl -u reconciler-web -o cat")
    assert await host.run("cat /etc/reconciler/fleet_key") == "PRIVATE"
    taken_over = f"nsenter -t {pid} -m setpriv --reuid {user} --clear-groups cat /etc/reconciler/fleet_key"
    assert await host.run(f"{taken_over} 2>&1", check=False) == ("cat: /etc/reconciler/fleet_key: Permission denied")
    assert await host.run(f"cat /proc/{pid}/environ | tr '\\0' '\\n' | grep -c CREDENTIALS", check=False) == "0"
