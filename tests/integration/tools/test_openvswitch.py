"""Work on a real Open vSwitch: its own database and a datapath without a kernel."""

import os
import subprocess
import time

import pytest
from pydantic import ValidationError

from reconciler.domain.outcome import Done, Failed
from reconciler.steps import Evidence, openvswitch
from tests.support.debian import program

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]  # the tools are installed on first use
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"


@pytest.fixture(scope="module")
def switch(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ovs")
    vsctl = program("ovs-vsctl", "openvswitch-switch")
    env = {**os.environ, "OVS_RUNDIR": str(folder), "OVS_LOGDIR": str(folder), "OVS_DBDIR": str(folder)}
    subprocess.run([program("ovsdb-tool", "openvswitch-common"), "create", folder / "conf.db", SCHEMA], check=True)
    started = []
    with (folder / "log").open("wb") as log:
        for name, *argv in (
            ("ovsdb-server", str(folder / "conf.db"), f"--remote=punix:{folder}/db.sock"),
            ("ovs-vswitchd", f"unix:{folder}/db.sock", "--enable-dummy", "--disable-system"),
        ):
            command = [program(name, "openvswitch-switch"), *argv, f"--pidfile={folder}/{name}.pid"]
            started.append(subprocess.Popen(command, env=env, stdout=log, stderr=log))
            while name == "ovsdb-server" and not (folder / "db.sock").exists():
                time.sleep(0.05)
        subprocess.run([vsctl, "--no-wait", "init"], env=env, check=True)
        yield env["OVS_RUNDIR"]
    for each in reversed(started):
        each.kill()
        each.wait()


@pytest.fixture
def ovs(sandbox, switch):
    sandbox.env["OVS_RUNDIR"] = switch

    def run(*argv):
        return subprocess.run(
            argv, env={**os.environ, "OVS_RUNDIR": switch}, check=True, capture_output=True, text=True
        ).stdout

    run("ovs-vsctl", "--timeout=30", "add-br", "br-int", "--", "set", "Bridge", "br-int", "datapath_type=dummy")
    run("ovs-vsctl", "--timeout=30", "add-port", "br-int", "qvo1", "--", "set", "Interface", "qvo1", "type=dummy")
    run("ovs-ofctl", "del-flows", "br-int")
    run("ovs-ofctl", "add-flow", "br-int", "table=0,priority=2,in_port=1,cookie=0x5 actions=mod_vlan_vid:7,NORMAL")
    run("ovs-ofctl", "add-flow", "br-int", "table=60,priority=1,ct_state=+trk,ip actions=ct(commit,zone=0)")
    yield run
    run("ovs-vsctl", "--timeout=30", "del-br", "br-int")


@pytest.fixture
def act(sandbox, ovs):
    def run(current="run-1", **args):
        sandbox.run_id = current
        model = openvswitch.Model.model_validate(args)
        return openvswitch.judge(model, Evidence(sandbox.run(openvswitch.effect(model))))

    return run


def table(ovs):
    lines = ovs("ovs-ofctl", "--no-stats", "dump-flows", "br-int").splitlines()
    return sorted(line for line in lines if "actions" in line)


@pytest.mark.parametrize("openflow", ["", "OpenFlow13"])
def test_flows_are_saved_once_and_restored(ovs, act, openflow):
    before = table(ovs)
    saved = act(action="save_flows", openflow=openflow)
    assert isinstance(saved, Done), saved
    assert saved.values["count"] == "2"
    ovs("ovs-ofctl", "del-flows", "br-int")
    ovs("ovs-ofctl", "add-flow", "br-int", "table=0,priority=2,in_port=1,cookie=0x9 actions=drop")
    assert act(action="save_flows", openflow=openflow).values == saved.values
    for more in ({}, {"file": saved.values["flows"], "current": "run-2"}):
        done = act(action="restore_flows", openflow=openflow, **more)
        assert isinstance(done, Done), done
        assert table(ovs) == before
    assert isinstance(act(action="restore_flows", current="run-3"), Failed)


@pytest.mark.parametrize(("openflow", "end"), [("", Failed), ("OpenFlow13", Done)])
def test_flows_that_came_since_go_or_are_told(ovs, act, openflow, end):
    assert isinstance(act(action="save_flows", openflow=openflow), Done)
    ovs("ovs-ofctl", "add-flow", "br-int", "priority=9 actions=drop")
    assert isinstance(act(action="restore_flows", openflow=openflow), end)


def test_a_bridge_without_flows_is_not_saved(ovs, act):
    ovs("ovs-ofctl", "del-flows", "br-int")
    assert isinstance(act(action="save_flows"), Failed)


def test_a_version_of_openflow_can_be_chosen(ovs, act):
    ovs("ovs-vsctl", "set", "bridge", "br-int", "protocols=OpenFlow13")
    assert isinstance(act(action="save_flows"), Failed)
    assert isinstance(act(action="save_flows", openflow="OpenFlow13"), Done)
    assert isinstance(act(action="restore_flows", openflow="OpenFlow13"), Done)


@pytest.mark.parametrize("before", ["", "standalone"])
def test_the_fail_mode_comes_back(ovs, act, before):
    if before:
        ovs("ovs-vsctl", "set-fail-mode", "br-int", before)
    for _ in range(2):
        assert act(action="fail_mode").values == {"before": before}
        assert ovs("ovs-vsctl", "get-fail-mode", "br-int").strip() == "secure"
    for _ in range(2):
        assert isinstance(act(current="run-2", action="fail_mode", restore_from="run-1"), Done)
        assert ovs("ovs-vsctl", "get-fail-mode", "br-int").strip() == before


def test_settings_of_ports_come_back(ovs, act):
    ovs("ovs-vsctl", "set", "Port", "qvo1", 'other_config:tag="3"')
    args = {"action": "set", "ports": {"qvo1": {"tag": "5", "net_uuid": "6f70-1", "physical_network": "phy:1"}}}
    for _ in range(2):
        done = act(**args)
        assert isinstance(done, Done), done
    assert (
        ovs("ovs-vsctl", "get", "Port", "qvo1", "other_config").strip()
        == '{net_uuid="6f70-1", physical_network="phy:1", tag="5"}'
    )
    assert isinstance(act(**args, restore_from="self"), Done)
    assert ovs("ovs-vsctl", "get", "Port", "qvo1", "other_config").strip() == '{tag="3"}'
    assert isinstance(act(action="set", ports={"none": {"tag": "5"}}), Failed)


def test_only_one_conntrack_zone_is_in_use(ovs, act):
    assert isinstance(act(action="zone"), Done)
    ovs("ovs-ofctl", "add-flow", "br-int", "table=61,priority=1,ip actions=ct(commit,zone=7)")
    assert isinstance(act(action="zone", zone=7), Done)
    failed = act(action="zone")
    assert isinstance(failed, Failed)
    assert "conntrack zone 7 is in use" in failed.text


def test_the_module_is_reloaded_by_its_own_program(sandbox, act):
    sandbox.tool("ovs-ctl", "")
    assert isinstance(act(action="reload_module", ovs_ctl=str(sandbox.root / "tools/ovs-ctl")), Done)
    assert sandbox.log == ["ovs-ctl force-reload-kmod"]
    assert isinstance(act(action="reload_module", ovs_ctl="/none"), Failed)


@pytest.mark.parametrize(
    "bad",
    [
        {"action": "set"},
        {"action": "zone", "ports": {"a": {"b": "c"}}},
        {"action": "set", "ports": {"a": {"b": 'c"'}}},
        {"action": "set", "ports": {"-a": {"b": "c"}}},
        {"action": "save_flows", "restore_from": "self"},
        {"action": "restore_flows", "file": "x"},
        {"action": "zone", "bridge": "-x"},
    ],
)
def test_bad_arguments_are_refused(bad):
    with pytest.raises(ValidationError):
        openvswitch.Model.model_validate(bad)
