import shutil

import pytest
from pydantic import ValidationError

from reconciler.steps import cluster_manager

# Units are files that hold active or inactive; `boot` says what is enabled.
SYSTEMCTL = r"""
root=$(dirname "$0")/..
case $1 in
show) echo "ActiveState=$(cat "$root/$5")" ;;
is-enabled) cat "$root/boot" ;;
enable) echo enabled >"$root/boot" ;;
disable) echo disabled >"$root/boot" ;;
start) shift; for unit; do echo active >"$root/$unit"; done ;;
stop) shift; [ -f "$root/stuck" ] || for unit; do echo inactive >"$root/$unit"; done ;;
esac
"""


@pytest.fixture(params=["pcs", "crm", "systemctl"])
def order(request, sandbox):
    for name in ("pacemaker", "corosync"):
        (sandbox.root / name).write_text("active\n")
    (sandbox.root / "boot").write_text("enabled\n")
    sandbox.tool("systemctl", SYSTEMCTL)
    for tool in ("crm_attribute", "crm_resource"):
        sandbox.tool(tool, "")
    if request.param != "systemctl":
        sandbox.tool(request.param, f'"{sandbox.root}/tools/systemctl" "$2" pacemaker corosync')
    # What this machine has must not be asked for more than the tools of the sandbox.
    bare = sandbox.root / "bare"
    bare.mkdir()
    for name in [
        "sh",
        "busybox",
        "cat",
        "cut",
        "date",
        "dirname",
        "mkdir",
        "mv",
        "sed",
        "sha256sum",
        "sleep",
        "sync",
        "tr",
    ]:
        if found := shutil.which(name):
            (bare / name).symlink_to(found)
    sandbox.env["PATH"] = f"{sandbox.root}/tools:{bare}"

    def run(state, **more):
        return sandbox.run(cluster_manager.effect(cluster_manager.Model(state=state, wait_s=1, **more)))

    run.tool = request.param
    run.state = lambda: [(sandbox.root / name).read_text().strip() for name in ("pacemaker", "corosync", "boot")]
    return run


def test_a_cluster_is_stopped_for_good_and_comes_back(order, sandbox):
    for _ in range(2):
        exited = order("stopped")
        assert exited.code == 0, exited.output
        assert order.state() == ["inactive", "inactive", "disabled"]
    words = {
        "pcs": "pcs cluster stop --force",
        "crm": "crm cluster stop",
        "systemctl": "systemctl stop pacemaker corosync",
    }
    assert sandbox.log.count(words[order.tool]) == 1
    assert order("started").code == 0
    assert order.state() == ["active", "active", "enabled"]


def test_going_back_is_what_the_run_found(order, sandbox):
    (sandbox.root / "boot").write_text("disabled\n")
    assert order("stopped").code == 0
    assert order("stopped", back=True).code == 0
    assert order.state() == ["active", "active", "disabled"]
    sandbox.run_id = "run-2"
    for name in ("pacemaker", "corosync"):
        (sandbox.root / name).write_text("inactive\n")
    assert order("stopped").code == 0
    assert order("stopped", back=True).code == 0
    assert order.state() == ["inactive", "inactive", "disabled"]
    sandbox.run_id = "run-3"
    assert "changed nothing" in order("stopped", back=True).output


def test_a_cluster_that_goes_on_is_not_stopped(order, sandbox):
    (sandbox.root / "stuck").touch()
    exited = order("stopped")
    assert exited.code == 1
    assert "is running instead of stopped" in exited.output


@pytest.mark.parametrize(
    "asked",
    [
        {"state": "unmanaged"},
        {"state": "maintenance", "resource": "vip"},
        {"state": "managed", "resource": "-x"},
        {"state": "maintenance", "node": "c1"},
        {"state": "frozen"},
    ],
)
def test_bad_arguments_are_refused(asked):
    with pytest.raises(ValidationError):
        cluster_manager.Model.model_validate(asked)
