"""Units under a real supervisord: the step that moves them, the observer that sees them."""

import getpass
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.domain.desired import Host, Service
from reconciler.domain.observation import Absent, HostReport, Known, Unknown
from reconciler.observers import compose, read_report
from reconciler.ports import Answer
from reconciler.steps import units

pytestmark = pytest.mark.integration

BIN = Path(sys.executable).parent
CONFIG = """
[supervisord]
nodaemon=true
logfile={root}/supervisord.log
pidfile={root}/supervisord.pid
childlogdir={root}
user={user}

[unix_http_server]
file={root}/s.sock

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{root}/s.sock

[program:api]
command=sleep 1000
autostart=false

[program:broken]
command=false
autostart=false
startretries=0
"""


@pytest.fixture
def config(sandbox) -> Iterator[Path]:
    path = sandbox.root / "s.conf"
    path.write_text(CONFIG.format(root=sandbox.root, user=getpass.getuser()))
    daemon = subprocess.Popen([BIN / "supervisord", "-c", path], stdout=subprocess.DEVNULL)
    ctl = [BIN / "supervisorctl", "-c", path, "avail"]
    while subprocess.run(ctl, capture_output=True, check=False).returncode != 0:
        assert daemon.poll() is None
    yield path
    daemon.terminate()
    daemon.wait(30)


@pytest.fixture
def move(sandbox, config):
    def run(name, state, **more):
        where = {"manager": "supervisord", "manager_config": str(config), "supervisorctl": str(BIN / "supervisorctl")}
        return sandbox.run(units.effect(units.Model(units=(name,), state=state, **where, **more)))

    return run


def look(config: Path) -> HostReport:
    there = {
        "manager": "supervisord",
        "manager_config": str(config),
        "vars": {"supervisorctl": str(BIN / "supervisorctl")},
    }
    service = Service(
        name="s", component="s", series="x", release="x", procedure="x", units=("api", "broken", "no-such-program")
    )
    questions = compose(Host(name="h", address="::1", **there), [service])
    answers = {}
    for question in questions:
        done = subprocess.run(["sh", "-c", question.script, "sh", *question.args], capture_output=True, check=False)
        answers[question.key] = Answer(done.returncode, done.stdout)
    return read_report(questions, answers, datetime.now(UTC))


def test_a_program_is_moved_and_seen(config, move):
    before = datetime.now(UTC).replace(microsecond=0)
    assert move("api", "started").code == 0
    report = look(config)
    api = report.units["api"]
    assert isinstance(api, Known)
    assert api.value.state == "active"
    assert (before - api.value.started_at).total_seconds() <= 1
    assert isinstance(report.units["no-such-program"], Absent)
    assert move("api", "restarted").code == 0
    assert move("api", "stopped").code == 0
    assert move("api", "stopped").code == 0
    assert look(config).units["api"].value.state == "inactive"


def test_a_program_that_ends_at_once_is_not_started(config, move):
    assert move("broken", "started", wait_s=2).code == 1
    assert look(config).units["broken"].value.state == "failed"
    assert move("no-such-program", "stopped").code == 1
    assert move("no-such-program", "stopped", absent_ok=True).code == 0


def test_a_dead_supervisord_proves_nothing(config, move):
    subprocess.run([BIN / "supervisorctl", "-c", config, "shutdown"], check=True, capture_output=True)
    assert move("api", "stopped", wait_s=1).code == 1
    assert move("api", "stopped", wait_s=1, absent_ok=True).code == 1
    assert isinstance(look(config).units["api"], Unknown)
