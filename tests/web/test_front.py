"""The process that serves the network, as a process: what it can reach, and that it ends with its daemon."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from reconciler.errors import SettingsError
from reconciler.web.board import Board
from reconciler.web.pages import Pages
from reconciler.web.server import Apart, Child

pytestmark = pytest.mark.integration
PATIENCE_S = 20
REACH = """
import ctypes, os, signal, socket, sys
from reconciler.web.confine import confine
key, daemon, port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
print(confine() or "confined")
def tried(name, what):
    try:
        what()
    except OSError as error:
        print(name, type(error).__name__)
    else:
        print(name, "reached")
tried("key", lambda: open(key))
tried("store", lambda: open(key, "a"))
tried("list", lambda: os.listdir("/"))
tried("memory", lambda: open(f"/proc/{daemon}/mem", "rb"))
tried("environ", lambda: open(f"/proc/{daemon}/environ", "rb"))
tried("signal", lambda: os.kill(daemon, signal.SIGUSR1))
tried("connect", lambda: socket.create_connection(("127.0.0.1", port)))
tried("run", lambda: os.execv("/bin/cat", ["cat", key]))
"""


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def get(port: int, path: str, method: str = "GET") -> httpx.Response | None:
    try:
        return httpx.request(method, f"http://127.0.0.1:{port}{path}", trust_env=False)
    except httpx.TransportError:
        return None


@pytest.fixture
def pages() -> Pages:
    return Pages(Board(datetime.now(UTC)))


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def child(pages: Pages, port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Child]:
    monkeypatch.setenv("DB_PASSWORD", "hunter2hunter2")
    serving = Child(("127.0.0.1", port), pages)
    until(lambda: get(port, "/livez"))
    yield serving
    serving.close()


def children() -> list[int]:
    found = []
    for place in Path("/proc/self/task").glob("*/children"):
        for pid in map(int, place.read_text().split()):
            with suppress(OSError):
                if b"reconciler.web.front" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(pid)
    return found


def listening(pid: int) -> bool:
    """Tell whether a process has a socket that listens on TCP."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[3] == "0A"}
    return any(str(fd.readlink()) in sockets for fd in Path(f"/proc/{pid}/fd").iterdir())


def test_another_process_listens_and_it_has_nothing_of_ours(child: Child, tmp_path: Path) -> None:
    del child
    with (tmp_path / "key").open("w"):  # open in this process, as a daemon's store is
        (pid,) = children()
        assert listening(pid)
        opened = {str(fd.readlink()).partition(":")[0] for fd in Path(f"/proc/{pid}/fd").iterdir()}
    assert opened <= {
        "socket",
        "pipe",
        "/dev/null",
        "anon_inode",
        str(Path("/proc/self/fd/2").readlink()).partition(":")[0],
    }
    assert Path(f"/proc/{pid}/environ").read_bytes() == b""
    assert "NoNewPrivs:\t1\n" in Path(f"/proc/{pid}/status").read_text()


def test_pages_are_served_and_nothing_else(child: Child, port: int) -> None:
    del child
    found = get(port, "/metrics?x=1")
    assert found is not None
    assert "reconciler_build_info" in found.text
    assert found.headers["content-type"].startswith("text/plain; version=")
    codes = [getattr(get(port, path), "status_code", 0) for path in ("/livez", "/healthz", "/readyz", "/", "/../etc")]
    assert codes == [200, 200, 503, 404, 404]
    assert getattr(get(port, "/livez", "HEAD"), "content", None) == b""
    assert getattr(get(port, "/metrics", "POST"), "status_code", 0) == 405
    with socket.create_connection(("127.0.0.1", port)) as odd:
        odd.sendall(b"<script> / HTTP/9.9\r\n\r\n")
        said = odd.makefile("rb").read()
    assert b"script" not in said
    assert b"Python" not in said


def test_a_child_that_dies_is_replaced(child: Child, port: int) -> None:
    del child
    (first,) = children()
    os.kill(first, signal.SIGKILL)
    until(lambda: children() not in ([], [first]) and get(port, "/livez"))


DAEMON = """
import sys, time
from datetime import UTC, datetime
from reconciler.web.board import Board
from reconciler.web.pages import Pages
from reconciler.web.server import Child
child = Child(("127.0.0.1", int(sys.argv[1])), Pages(Board(datetime.now(UTC))))
time.sleep(60)
"""


def test_a_child_ends_with_its_daemon_however_that_ends(pages: Pages, port: int) -> None:
    daemon = subprocess.Popen([sys.executable, "-c", DAEMON, str(port)])
    until(lambda: get(port, "/livez"))
    daemon.kill()
    daemon.wait()
    Child(("127.0.0.1", port), pages).close()


def test_a_taken_port_is_named(pages: Pages) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SettingsError, match="cannot listen on"):
        Child(taken.getsockname(), pages)


def test_a_confined_process_reaches_neither_keys_nor_daemon_not_even_as_root(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("PRIVATE")
    daemon = subprocess.Popen(["sleep", "60"])
    with socket.create_server(("127.0.0.1", 0)) as server:
        argv = [sys.executable, "-c", REACH, key, str(daemon.pid), str(server.getsockname()[1])]
        said = subprocess.run(argv, stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()
    daemon.kill()
    daemon.wait()
    names = ("key", "store", "list", "memory", "environ", "signal", "connect", "run")
    assert said == ["confined", *(f"{name} PermissionError" for name in names)]


TAKEN_OVER = """
import socket, sys
from reconciler.web import front
from reconciler.web.line import Page
def evil(self):
    try:
        self._send(Page(200, open(sys.argv[2], "rb").read()))
    except OSError as error:
        self._send(Page(200, type(error).__name__.encode()))
front._Handler.do_GET = evil
front.serve(socket.create_server(("127.0.0.1", int(sys.argv[1]))), None)
"""


def test_who_takes_over_the_process_that_listens_can_read_no_key(port: int, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("PRIVATE")
    front = subprocess.Popen([sys.executable, "-c", TAKEN_OVER, str(port), tmp_path / "key"])
    until(lambda: get(port, "/"))
    assert getattr(get(port, "/"), "text", "") == "PermissionError"
    front.kill()
    front.wait()


def test_a_service_of_its_own_serves_for_a_daemon_apart(pages: Pages, port: int) -> None:
    with tempfile.TemporaryDirectory(prefix="reconciler-") as folder:  # of pytest's the names are too long for a socket
        place = Path(folder) / "web.sock"
        argv = [sys.executable, "-m", "reconciler", "web", f"--listen=127.0.0.1:{port}", f"--socket={place}"]
        front = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
        try:
            until(lambda: getattr(get(port, "/livez"), "status_code", 0) == 503)
            apart = Apart(place, pages)
            assert place.stat().st_mode & 0o777 == 0o666
            assert getattr(get(port, "/livez"), "status_code", 0) == 200
            apart.close()
            assert not place.exists()
        finally:
            front.kill()
            front.wait()


def test_a_socket_that_cannot_be_made_is_named(pages: Pages, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot answer at"):
        Apart(tmp_path / "none" / "web.sock", pages)
    with pytest.raises(SettingsError, match="cannot answer at"):
        Apart(tmp_path / ("x" * 200), pages)
