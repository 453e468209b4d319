import shutil
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pydantic import ValidationError

from reconciler.steps import wait_until


@pytest.fixture
def wait(sandbox):
    def run(**asked):
        return sandbox.run(wait_until.effect(wait_until.Model(interval_s=1, **{"deadline_s": 1} | asked)))

    return run


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


class Teapot(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(418)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def teapot():
    server = HTTPServer(("127.0.0.1", 0), Teapot)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_a_condition_that_holds_is_not_waited_for(wait):
    exited = wait(argv=("echo", "fine"))
    assert (exited.code, exited.values["said"]) == (0, "exit code 0: fine")
    assert exited.values["waited_s"].isdigit()


def test_it_is_asked_until_it_is_good_often_enough_in_a_row(sandbox, wait):
    answers = sandbox.root / "answers"
    answers.write_text("ok\nno\nok\nok\n")
    sandbox.tool("ceph", f'head -n 1 "{answers}"; sed -i 1d "{answers}"')
    exited = wait(argv=("ceph", "health"), output="^ok$", good=2, deadline_s=30)
    assert (exited.code, len(sandbox.log)) == (0, 4)


def test_a_deadline_ends_it_with_the_last_answer(wait):
    exited = wait(argv=("sh", "-c", "echo HEALTH_WARN; exit 3"))
    assert exited.code == 1
    assert "last: exit code 3: HEALTH_WARN" in exited.output


def test_exit_codes_and_output_are_both_compared(wait):
    assert wait(argv=("sh", "-c", "exit 3"), ok=(0, 3)).code == 0
    assert wait(argv=("echo", "a 12 b"), output="^a [0-9]+ b$").code == 0
    assert wait(argv=("echo", "a x b"), output="^a [0-9]+ b$").code == 1
    assert wait(argv=("echo", "x -e"), output="-e$").code == 0


def test_a_command_that_hangs_is_ended(wait):
    exited = wait(argv=("sleep", "60"), timeout_s=1)
    assert exited.code == 1
    assert "exit code 137" in exited.output


def test_nothing_is_read_as_shell(sandbox, wait):
    assert wait(argv=("echo", "$(touch x) `touch x`"), output=r"^\$\(touch x\)").code == 0
    assert not (sandbox.root / "x").exists()


def test_a_port_is_asked(wait, listener):
    assert wait(tcp=f"127.0.0.1:{listener}").code == 0
    assert wait(tcp="127.0.0.1:1").code == 1


def test_a_status_is_asked(wait, teapot):
    assert wait(url=teapot, status=418).code == 0
    exited = wait(url=teapot)
    assert exited.code == 1
    assert "last: 418" in exited.output


@pytest.mark.parametrize("missing", ["curl", "bash"])
def test_python_stands_in_for_what_is_not_there(sandbox, wait, teapot, listener, missing):
    for name in ["busybox", "sh", "tail", "tr", "cut", "grep", "date", "sleep", "python3", "timeout", "sed", "printf"]:
        real = sys.executable if name == "python3" else shutil.which(name)
        (sandbox.root / "tools" / name).symlink_to(str(real or shutil.which("sh")))
    sandbox.env["PATH"] = str(sandbox.root / "tools")
    asked = {"url": teapot, "status": 418} if missing == "curl" else {"tcp": f"127.0.0.1:{listener}"}
    assert wait(**asked).code == 0


def test_a_unit_is_asked(sandbox, wait):
    sandbox.tool("systemctl", "case $5 in nova*) echo ActiveState=active ;; *) echo ActiveState=failed ;; esac")
    assert wait(unit="nova-compute.service").code == 0
    assert wait(unit="other").code == 1
    assert wait(unit="other", state="failed").code == 0
    assert sandbox.log[0] == "systemctl show -p ActiveState -- nova-compute.service"


def test_pings_are_asked(sandbox, wait):
    sandbox.tool("ping", '[ "$5" = 192.0.2.7 ]')
    assert wait(ping="192.0.2.7").code == 0
    assert wait(ping="192.0.2.8").code == 1
    assert sandbox.log[0] == "ping -c 1 -W 10 192.0.2.7"


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"argv": ("true",), "tcp": "h:1"},
        {"tcp": "h"},
        {"tcp": "-x:1"} | {"unit": "u"},
        {"url": "file:///etc/passwd"},
        {"unit": "-x"},
        {"ping": "-f"},
        {"argv": ("true",), "good": 0},
    ],
)
def test_bad_arguments_are_refused(asked):
    with pytest.raises(ValidationError):
        wait_until.Model.model_validate(asked)
