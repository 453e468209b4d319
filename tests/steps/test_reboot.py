import signal
from dataclasses import replace

import pytest

from reconciler.steps import reboot


@pytest.fixture
def host(sandbox):
    """A host whose boot id is a file; `systemctl reboot` does what `down` says."""
    boot = sandbox.root / "boot_id"
    boot.write_text("boot-1\n")

    def run(down=":"):
        sandbox.tool("systemctl", down)
        script = reboot.effect(reboot.Model(wait_s=1))
        return sandbox.run(replace(script, args=(str(boot), *script.args[1:])))

    run.boot = boot
    return run


def test_only_another_boot_is_a_reboot(host, sandbox):
    exited = host()
    assert exited.code == 1
    assert "same boot" in exited.output
    assert sandbox.log == ["systemctl reboot"]


def test_an_attempt_after_the_reboot_finds_it_done_and_reboots_no_more(host, sandbox):
    host()
    host.boot.write_text("boot-2\n")
    exited = host()
    assert (exited.code, exited.values) == (0, {"before": "boot-1", "boot_id": "boot-2"})
    assert sandbox.log == ["systemctl reboot"]


def test_another_run_reboots_anew(host, sandbox):
    host()
    host.boot.write_text("boot-2\n")
    sandbox.run_id = "run-2"
    assert host().code == 1
    assert len(sandbox.log) == 2


def test_what_the_shutdown_ends_leaves_no_exit_code(host):
    """Killed by KILL, whoever would write an exit code: the runner then tells that it died."""
    assert host(down='kill -TERM "$PPID"').code == -signal.SIGKILL


def test_a_refused_order_is_said(host):
    exited = host(down="echo 'Access denied' >&2; exit 1")
    assert exited.code == 1
    assert "Access denied" in exited.output
