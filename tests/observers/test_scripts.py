"""Every observer's script, really run: on this machine where that has what it asks for, else with fake tools."""

import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.domain.desired import BuildSpec, ConfigFile, Host, Service
from reconciler.domain.observation import Absent, ConfigState, Known, Unknown
from reconciler.domain.reasons import Reason
from reconciler.observers import compose, read_report
from reconciler.ports import Answer

SHELLS = [["/bin/sh"], *([["busybox", "sh"]] if shutil.which("busybox") else [])]
AT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(params=SHELLS, ids=lambda shell: Path(shell[0]).name)
def look(request, tmp_path):
    (tmp_path / "tools").mkdir()

    def run(host, *services):
        questions = compose(host, services)
        env = {"PATH": f"{tmp_path}/tools:{os.environ['PATH']}"}
        answers = {}
        for question in questions:
            argv = [*request.param, "-c", question.script, "sh", *question.args]
            done = subprocess.run(argv, env=env, capture_output=True, check=False)
            answers[question.key] = Answer(done.returncode, done.stdout)
        return read_report(questions, answers, AT)

    return run


def tool(root, name, text):
    path = root / "tools" / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def service(**more):
    return Service(name="keystone", component="keystone", series="openstack", release="yoga", procedure="x", **more)


def host(root, **more):
    return Host(name="h", address="::1", state_dir=str(root / "state"), **more)


def test_facts_of_this_machine(look, tmp_path):
    report = look(host(tmp_path), service(backup_dir=str(tmp_path / "not/there yet")))
    assert isinstance(report.facts, Known)
    assert set(report.facts.value.free_bytes) == {str(tmp_path / "state"), str(tmp_path / "not/there yet")}
    assert all(free > 0 for free in report.facts.value.free_bytes.values())
    assert report.facts.value.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def test_packages_of_this_machine(look, tmp_path):
    build = BuildSpec(form="packages", packages={"dpkg": "1", "no-such-package": "1"})
    report = look(host(tmp_path), service(builds={"*": build}))
    version = subprocess.run(["dpkg-query", "-W", "-f=${Version}", "dpkg"], capture_output=True, text=True, check=True)
    assert isinstance(report.packages["dpkg"], Known)
    assert report.packages["dpkg"].value.version == version.stdout
    assert report.packages["dpkg"].value.installed_at is not None
    assert report.packages["no-such-package"] == Absent(AT)


def test_a_dpkg_that_cannot_tell_is_no_absent_package(look, tmp_path):
    tool(tmp_path, "dpkg-query", "exit 2")
    report = look(host(tmp_path), service(builds={"*": BuildSpec(form="packages", packages={"dpkg": "1"})}))
    assert isinstance(report.packages["dpkg"], Unknown)
    assert report.packages["dpkg"].reason == Reason.HOST_OUTPUT_INVALID


def test_an_environment_behind_its_link(look, tmp_path):
    for name, text in {
        "keystone-21.0.1": "Metadata-Version: 2.1\nName: keystone\nVersion: 21.0.1\n\nName: forged\nVersion: 9\n",
        "oslo_db-12.0.0": "Metadata-Version: 2.1\r\nName: Oslo_DB\r\nVersion: 12.0.0\r\n\r\nx\r\n",
        "other-1": "Name: other\nVersion: 1\n",
    }.items():
        folder = tmp_path / "env/lib/python3.11/site-packages" / f"{name}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_bytes(text.encode())
    (tmp_path / "env/.reconciler-complete").write_text("a" * 64 + "\n")
    (tmp_path / "current").symlink_to(tmp_path / "env")
    requirements = ("keystone==21.0.1", "oslo.db[fixtures]>=1", "-c pins.txt", "forged", "./wheel.whl", "absent==1")
    build = BuildSpec(form="environment", link=str(tmp_path / "current"), requirements=requirements)
    none = BuildSpec(form="environment", link=str(tmp_path / "none"))
    report = look(host(tmp_path), service(builds={"yoga": build, "zed": none}))
    seen = report.environments[str(tmp_path / "current")]
    assert isinstance(seen, Known)
    assert (seen.value.path, seen.value.made_from) == (str(tmp_path / "env"), "a" * 64)
    assert seen.value.versions == {"keystone": "21.0.1", "oslo.db": "12.0.0"}
    assert abs(seen.value.switched_at.timestamp() - (tmp_path / "current").lstat().st_ctime) <= 1
    assert report.environments[str(tmp_path / "none")] == Absent(AT)


def test_units_of_systemd(look, tmp_path):
    tool(
        tmp_path,
        "systemctl",
        '[ "$TZ $LC_ALL" = "UTC C" ] || exit 1\n'
        'case "$*" in *gone) printf "LoadState=not-found\\nActiveState=inactive\\nActiveEnterTimestamp=\\n" ;;\n'
        '*) printf "LoadState=loaded\\nActiveState=active\\nExecMainStartTimestamp=Tue 2023-11-14 22:13:20 UTC\\n" ;;\n'
        "esac",
    )
    report = look(host(tmp_path), service(units=("api", "gone")))
    assert report.units["api"].value.started_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert report.units["gone"] == Absent(AT)


def test_units_of_supervisord(look, tmp_path):
    tool(tmp_path, "ctl", 'echo "api   RUNNING   pid 1, uptime 0:00:05"; echo "gone: ERROR (no such process)"; exit 4')
    there = host(
        tmp_path, manager="supervisord", manager_config="/s.conf", vars={"supervisorctl": f"{tmp_path}/tools/ctl"}
    )
    report = look(there, service(units=("api", "gone")))
    started = report.units["api"].value.started_at
    assert timedelta(0) <= datetime.now(UTC) - started - timedelta(seconds=5) < timedelta(minutes=1)
    assert report.units["gone"] == Absent(AT)


def test_a_manager_that_is_not_there_leaves_its_units_unknown(look, tmp_path):
    for there in (
        host(tmp_path, manager="supervisord", manager_config="/s.conf", vars={"supervisorctl": "/no/ctl"}),
        host(tmp_path),
    ):
        tool(tmp_path, "systemctl", "exit 1")
        report = look(there, service(units=("api",)))
        assert isinstance(report.units["api"], Unknown)


def test_configuration_is_compared_on_the_host(look, tmp_path):
    import hashlib

    bears = service(config={"*": (ConfigFile(path="/x", template=""),)})
    assert look(host(tmp_path), bears).configs == {"keystone": Absent(AT)}
    file, stamp = tmp_path / "a b.conf", tmp_path / "state/config/keystone"
    file.write_text("text")
    stamp.parent.mkdir(parents=True)
    stamp.write_text(f"run r\ndigest ab12\nfile {hashlib.sha256(b'text').hexdigest()} {file}\n")
    os.utime(file, (1000, 1000))
    same = look(host(tmp_path), bears).configs["keystone"]
    assert same == Known(ConfigState("ab12", datetime.fromtimestamp(1000, UTC)), AT)
    file.write_text("text, changed by hand")
    assert look(host(tmp_path), bears).configs["keystone"].value.digest is None
    file.unlink()
    assert look(host(tmp_path), bears).configs["keystone"].value.digest is None
    stamp.write_text("garbage\n")
    assert isinstance(look(host(tmp_path), bears).configs["keystone"], Unknown)


def test_containers(look, tmp_path):
    tool(
        tmp_path,
        "podman",
        'case $1 in ps) echo \'[{"Names":["n"],"Image":"r/i:1","ImageID":"x","State":"running","StartedAt":5}]\' ;;\n'
        'images) echo \'[{"Id":"x","Digest":"sha256:d"}]\' ;; esac',
    )
    report = look(host(tmp_path))
    assert report.containers["n"].value.digest == "sha256:d"
    tool(tmp_path, "podman", "exit 125")
    assert isinstance(look(host(tmp_path)).containers["*"], Unknown)


def test_what_was_not_answered_is_unknown(tmp_path):
    questions = compose(host(tmp_path), [service(units=("api",), config={"*": ()})])
    report = read_report(questions, {}, AT)
    assert isinstance(report.facts, Unknown)
    assert isinstance(report.units["api"], Unknown)
    assert report.units["api"].reason == Reason.HOST_NOT_ASKED
    cut = read_report(questions, {"units": Answer(0, b"end\n")}, AT)
    assert isinstance(cut.units["api"], Unknown)
    assert cut.units["api"].reason == Reason.HOST_OUTPUT_INVALID


LOCKS = {
    "nova": [
        "nova-api-0:17.0.13-1.el7.*",
        "0:nova-api-17.0.13-1.el7.*",
        "!nova-0:17.0.13-1.el7.*",
        "# nova-1-1 was kept",
    ],
    "nova-api": ["nova-api-0:17.0.13-1.el7.*"],
    "nova-cells": ["12:nova-cells-17.0.13-1.el7.*"],
    "nova-conductor": ["nova-conductor-17.0.13-1.el7.*"],
}


@pytest.mark.parametrize("name", LOCKS)
def test_an_rpm_package_is_held_by_a_lock_of_its_own_only(look, tmp_path, name):
    tool(tmp_path, "rpm", f"printf '{name}\\t0:17.0.13-1.el7\\t1700000000\\n'")
    tool(tmp_path, "sed", f'exec {shutil.which("sed")} "$1" {tmp_path}/locks')
    (tmp_path / "locks").write_text("\n".join(LOCKS[name]) + "\n")
    build = BuildSpec(form="rpm", packages={name: "1-1"})
    report = look(host(tmp_path), service(builds={"*": build}))
    assert isinstance(report.packages[name], Known)
    assert report.packages[name].value.held == (name != "nova")
