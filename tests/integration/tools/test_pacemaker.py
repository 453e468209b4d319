"""`cluster_manager` with pacemaker's own tools, on a cluster that is a file."""

import os
import subprocess

import pytest

from reconciler.steps import cluster_manager
from tests.support.debian import program

pytestmark = pytest.mark.integration


@pytest.fixture
def order(sandbox):
    cibadmin = program("cibadmin", "pacemaker-cli-utils")
    file = sandbox.root / "cib.xml"
    file.write_bytes(subprocess.run([cibadmin, "--empty"], check=True, capture_output=True).stdout)
    sandbox.env["CIB_file"] = str(file)
    for scope, xml in {
        "resources": '<primitive id="vip" class="ocf" provider="heartbeat" type="Dummy"/>',
        "nodes": '<node id="1" uname="c1"/>',
    }.items():
        words = [cibadmin, "--create", "--scope", scope, "--xml-text", xml]
        subprocess.run(words, check=True, env=os.environ | sandbox.env)
    # A file has no node of its own, and nothing that could settle.
    sandbox.tool("crm_node", "echo c1")
    real = program("crm_resource", "pacemaker-cli-utils")
    sandbox.tool("crm_resource", f'[ "$1" != --wait ] || exit 0\nexec {real} "$@"')

    def run(state, **more):
        exited = sandbox.run(cluster_manager.effect(cluster_manager.Model(state=state, wait_s=1, **more)))
        return exited, file.read_text()

    return run


@pytest.mark.parametrize(
    ("there", "back", "more", "option", "values"),
    [
        ("maintenance", "normal", {}, "maintenance-mode", ("true", "false")),
        ("unmanaged", "managed", {"resource": "vip"}, "is-managed", ("false", "true")),
        ("standby", "online", {"node": "c1"}, "standby", ("on", "off")),
        ("standby", "online", {}, "standby", ("on", "off")),
    ],
)
def test_a_state_is_set_and_taken_back(order, sandbox, there, back, more, option, values):  # noqa: PLR0917
    for _ in range(2):
        exited, cib = order(there, **more)
        assert exited.code == 0, exited.output
        assert f'name="{option}" value="{values[0]}"' in cib
    exited, cib = order(there, back=True, **more)
    assert exited.code == 0, exited.output
    assert option not in cib
    sandbox.run_id = "run-2"
    order(there, **more)
    exited, cib = order(back, **more)
    assert exited.values == {"before": values[0]}
    assert f'name="{option}" value="{values[1]}"' in cib


def test_a_resource_that_is_not_there_cannot_be_unmanaged(order):
    exited, _ = order("unmanaged", resource="gone")
    assert exited.code == 1
    assert "resource gone is not in the cluster" in exited.output


def test_the_words_that_stop_a_cluster_are_those_of_pcs_and_crm():
    def said(*words):
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout

    pcs, crm = program("pcs", "pcs"), program("crm", "crmsh")
    usage = said(pcs, "cluster", "help")
    assert "\n    stop [--all" in usage
    assert "\n    start [--all" in usage
    assert "--force" in said(pcs, "--help")
    assert {"start", "stop"} <= set(said(crm, "help", "cluster").split())
