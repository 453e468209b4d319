"""`rpm_packages` and `package_repository` with dnf and rpm themselves, in a root of their own."""

import subprocess

import pytest

from reconciler.steps import package_repository, rpm_packages
from tests.support.debian import package, program

pytestmark = [pytest.mark.integration, pytest.mark.parametrize("sandbox", [["/bin/sh"]], indirect=True, ids=["sh"])]
VERSIONS = ("1.0-1", "1:0.9-2", "1:2.0-1")
SPEC = """Name: {name}
Epoch: {epoch}
Version: {version}
Release: {release}
Summary: none
License: none
BuildArch: noarch
%description
none
%files
"""


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    """Two packages in three versions, of which the middle one has a smaller version and a greater epoch."""
    rpmbuild, createrepo = program("rpmbuild", "rpm"), program("createrepo_c", "createrepo-c")
    program("dnf", "dnf")
    package("dnf-plugins-core")
    root = tmp_path_factory.mktemp("rpms")
    for name in ("demo", "demo-libs"):
        for evr in VERSIONS:
            epoch, _, rest = evr.rpartition(":")
            version, _, release = rest.partition("-")
            spec = root / f"{name}.spec"
            spec.write_text(SPEC.format(name=name, epoch=epoch or 0, version=version, release=release))
            words = [rpmbuild, "-bb", "--define", f"_topdir {root}/top", "--define", f"_rpmdir {root}", spec]
            subprocess.run(words, check=True, capture_output=True)
    subprocess.run([createrepo, root], check=True, capture_output=True)
    return root


@pytest.fixture
def host(sandbox, repository):
    """`dnf` and `rpm` work on a root of the sandbox; every other word goes to them as it stands."""
    root = sandbox.root / "host"
    (root / "etc/yum.repos.d").mkdir(parents=True)
    (root / "etc/dnf/plugins").mkdir(parents=True)
    (root / "log").mkdir()
    locks = root / "etc/dnf/plugins/versionlock.list"
    locks.touch()
    (root / "etc/dnf/plugins/versionlock.conf").write_text(f"[main]\nenabled=1\nlocklist={locks}\n")
    (root / "dnf.conf").write_text(
        f"[main]\npluginconfpath={root}/etc/dnf/plugins\nreposdir={root}/etc/yum.repos.d\ncachedir={root}/cache\n"
    )
    (root / "etc/yum.repos.d/old.repo").write_text(f"[old]\nname=old\nbaseurl=file://{repository}\ngpgcheck=0\n")
    options = f"--config={root}/dnf.conf --installroot={root} --releasever=9 --setopt=logdir={root}/log --nogpgcheck"
    sandbox.tool("dnf", f'HOME={root} exec {program("dnf", "dnf")} {options} "$@"')
    sandbox.tool("rpm", f'HOME={root} exec {program("rpm", "rpm")} --root {root} "$@"')
    return root


@pytest.fixture
def order(sandbox, host):
    def run(action, *, version="1:2.0-1", hold=True, **more):
        packages = {"demo": version, "demo-libs": version}
        model = rpm_packages.Model(action=action, packages=packages, hold=hold, **more)
        return sandbox.run(rpm_packages.effect(model))

    return run


def installed(sandbox, name="demo"):
    query = [sandbox.root / "tools/rpm", "-q", "--qf", "%{EPOCHNUM}:%{VERSION}-%{RELEASE}", name]
    done = subprocess.run(query, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def locked(host):
    return [line for line in (host / "etc/dnf/plugins/versionlock.list").read_text().split() if line.startswith("demo")]


def test_packages_go_up_and_down_and_stay_locked(sandbox, host, order):
    for version in ("1:2.0-1", "1.0-1"):
        exited = order("install", version=version)
        assert exited.code == 0, exited.output
        full = version if ":" in version else f"0:{version}"
        assert installed(sandbox) == installed(sandbox, "demo-libs") == full
        assert sorted(locked(host)) == [f"demo-{full}.*", f"demo-libs-{full}.*"]


def test_a_run_is_taken_back_exactly(sandbox, host, order):
    assert order("install", version="1.0-1").code == 0
    sandbox.run_id = "run-2"
    assert order("install", version="1:0.9-2", hold=False).code == 0
    exited = order("back")
    assert exited.code == 0, exited.output
    assert installed(sandbox) == "0:1.0-1"
    assert sorted(locked(host)) == ["demo-0:1.0-1.*", "demo-libs-0:1.0-1.*"]
    sandbox.run_id = "run-1"
    exited = order("back")
    assert exited.code == 0, exited.output
    assert installed(sandbox) is None
    assert locked(host) == []


def test_a_download_changes_nothing(sandbox, host, order):
    exited = order("download")
    assert exited.code == 0, exited.output
    assert installed(sandbox) is None
    assert not locked(host)


def test_a_version_that_is_not_there_is_a_failure(sandbox, order):
    assert order("install", version="1.0-1").code == 0
    assert order("install", version="9.9-9").code != 0
    assert installed(sandbox) == "0:1.0-1"


def test_a_repository_is_switched_and_switched_back(sandbox, host, repository):
    def act(**more):
        script = package_repository.effect(package_repository.Model(manager="dnf", name="pike", **more))
        words = tuple(str(host / "etc") if word == package_repository.ETC else word for word in script.args)
        return sandbox.run(package_repository.HostScript(body=script.body, args=words))

    folder = host / "etc/yum.repos.d"
    before = (folder / "old.repo").read_text()
    exited = act(url=f"file://{repository}", disable=("old.repo",), priority=10)
    assert exited.code == 0, exited.output
    assert [path.name for path in folder.iterdir()] == ["pike.repo"]
    listed = subprocess.run([sandbox.root / "tools/dnf", "repolist"], capture_output=True, text=True, check=True)
    assert "pike" in listed.stdout
    assert act(action="restore").code == 0
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("old.repo", before)]
    assert "did not come" in act(url="file:///nonexistent").output
