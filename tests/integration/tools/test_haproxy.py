"""`load_balancer` with HAProxy itself: a frontend, a backend of two servers, and real sessions."""

import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

from reconciler.steps import load_balancer
from tests.support.debian import program
from tests.support.net import free_port

pytestmark = pytest.mark.integration


def until_closed(connection):
    """Keep a connection for as long as its other end does."""
    with connection, suppress(OSError):
        while connection.recv(100):
            pass


@pytest.fixture
def web():
    """A server that says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with suppress(OSError):
                while True:
                    threading.Thread(target=until_closed, args=server.accept()[:1], daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def haproxy(sandbox, web):
    front, admin = free_port(), sandbox.root / "a.sock"
    config = sandbox.root / "haproxy.cfg"
    config.write_text(
        f"global\n  stats socket {admin} mode 600 level admin\n"
        "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n"
        f"frontend f\n  bind 127.0.0.1:{front}\n  default_backend keystone\n"
        f"backend keystone\n  server ctl-1 127.0.0.1:{web} check inter 200\n"
        f"backend dead\n  server ctl-1 127.0.0.1:1 check inter 200 fall 1\n"
    )
    process = subprocess.Popen([program("haproxy", "haproxy"), "-db", "-f", config], stderr=subprocess.DEVNULL)
    while not admin.exists():
        assert process.poll() is None
        time.sleep(0.05)
    yield front
    process.terminate()
    process.wait()


@pytest.fixture(params=["socat", "python3"])
def order(request, sandbox, haproxy):
    """Both ways to talk to the socket: without socat on PATH, python speaks."""
    program("socat", "socat")
    bare = sandbox.root / "bare"
    bare.mkdir()
    for tool in ["sh", "busybox", "awk", "cat", "cut", "date", "mkdir", "mv", "sha256sum", "sleep", "sync", "tr"]:
        (bare / tool).symlink_to(program(tool, "busybox"))
    real = sys.executable if request.param == "python3" else program(request.param, request.param)
    (bare / request.param).symlink_to(real)
    sandbox.env["PATH"] = str(bare)

    def run(state, **more):
        given = {"backend": "keystone", "server": "ctl-1", "socket": str(sandbox.root / "a.sock"), "wait_s": 2} | more
        return sandbox.run(load_balancer.effect(load_balancer.Model(state=state, **given)))

    return run


@pytest.fixture
def down(sandbox, haproxy):
    """Wait until the first check has failed: until then a server counts as one that serves."""
    while b",DOWN," not in stats(sandbox.root / "a.sock"):
        time.sleep(0.05)


def stats(admin):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(admin))
        connection.sendall(b"show stat\n")
        return connection.makefile("rb").read()


def session(front):
    return socket.create_connection(("127.0.0.1", front))


def test_a_server_is_drained_when_its_sessions_have_ended(order, haproxy):
    assert order("ready").code == 0
    with session(haproxy):
        exited = order("drain")
        assert exited.code == 1
        assert "has 1 sessions after" in exited.output
        assert order("drain", sessions=1).code == 0
    exited = order("drain")
    assert (exited.code, exited.values) == (0, {"before": "drain", "sessions": "0"})
    exited = order("ready")
    assert (exited.code, exited.values["before"]) == (0, "drain")


def test_going_back_is_the_state_that_the_run_found(order, sandbox):
    assert order("ready").code == 0
    sandbox.run_id = "run-2"
    assert order("maint").values["before"] == "ready"
    sandbox.run_id = "run-3"
    assert order("drain").values["before"] == "maint"
    assert order("drain", back=True).code == 0
    sandbox.run_id = "run-2"
    assert order("maint", back=True).values["before"] == "maint"
    assert order("drain", back=True).values["before"] == "ready"
    sandbox.run_id = "run-4"
    assert "changed nothing" in order("maint", back=True).output


def test_what_does_not_serve_is_not_ready(order, down):
    exited = order("ready", backend="dead")
    assert exited.code == 1
    assert "is ready and has DOWN" in exited.output


def test_a_server_that_is_not_there_is_said(order):
    exited = order("drain", server="ctl-9")
    assert exited.code == 1
    assert "no server ctl-9" in exited.output
    exited = order("drain", backend="nova")
    assert exited.code == 1
    exited = order("drain", socket="/nonexistent")
    assert "is not a socket" in exited.output
