import re
import signal
import subprocess
from dataclasses import replace

import pytest
from pydantic import ValidationError

from reconciler.steps import deb_packages

# A host's packages are files in `db`: name to "version status". apt knows every version but 9:9.
APT_GET = r"""
db=$(dirname "$0")/../db
case "$*" in *download-only* | update*) exit 0 ;; esac
"$(dirname "$0")/../sbin/policy-rc.d" nova start; echo "policy $?" >>"$db/../log"
[ ! -f "$db/../hang" ] || { touch "$db/../hanging"; sleep 1; }
for one; do
  case $one in
  *=9:9) echo "E: Version '9:9' was not found"; exit 100 ;;
  -*) ;;
  *::*) ;;
  *=*) echo "${one#*=} install ok installed" >"$db/${one%%=*}" ;;
  esac
done
"""
DPKG_QUERY = r"""
db=$(dirname "$0")/../db
for name; do :; done
[ -f "$db/$name" ] || { echo "no packages found matching $name" >&2; exit 1; }
case $3 in *Version*) cat "$db/$name" ;; *) cut -d " " -f 2- <"$db/$name" ;; esac
"""
APT_MARK = r"""
db=$(dirname "$0")/../db
case $1 in
showhold) grep -l " hold ok" "$db"/* 2>/dev/null | sed "s,.*/,," ;;
hold) sed -i "s/ install ok/ hold ok/" "$db/$2" ;;
esac
"""
DPKG = r"""
broken=$(dirname "$0")/../broken
case "$*" in *--audit*) cat "$broken" 2>/dev/null || : ;; *--configure*) rm -f "$broken" ;; esac
"""


@pytest.fixture
def act(sandbox):
    for folder in ("db", "sbin"):
        (sandbox.root / folder).mkdir()
    for name, text in {"apt-get": APT_GET, "dpkg-query": DPKG_QUERY, "apt-mark": APT_MARK, "dpkg": DPKG}.items():
        sandbox.tool(name, text)

    def run(action, packages, *, only_render=False, **more):
        script = deb_packages.effect(deb_packages.Model(action=action, packages=packages, **more))
        script = replace(script, args=(str(sandbox.root / "sbin/policy-rc.d"), *script.args[1:]))
        return script if only_render else sandbox.run(script)

    return run


def state(sandbox):
    return {path.name: path.read_text().strip() for path in (sandbox.root / "db").iterdir()}


def test_a_download_changes_nothing(sandbox, act):
    assert act("download", {"nova-api": "2:14.1.0-0ubuntu1"}).code == 0
    assert state(sandbox) == {}
    assert any(
        re.search(r"install .*--download-only.* nova-api=2:14\.1\.0-0ubuntu1( -o \S+)*$", line) for line in sandbox.log
    )
    assert sandbox.log[0].startswith("apt-get update")


def test_a_lock_of_apt_is_waited_for_and_other_errors_are_not(sandbox, act):
    lock = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1"
    busy = f'[ -e "$0.tried" ] || {{ touch "$0.tried"; echo "{lock}" >&2; exit 100; }}\n'
    sandbox.tool("apt-get", busy + APT_GET)
    done = act("download", {"nova-api": "2"})
    assert (done.code, lock in done.output) == (0, True)
    assert [line.split()[1] for line in sandbox.log if line.startswith("apt-get")] == ["update", "update", "install"]
    sandbox.tool("apt-get", "echo 'E: no network' >&2; exit 100")
    assert act("download", {"nova-api": "2"}).code == 100


def test_exact_versions_are_installed_and_held_and_other_holds_survive(sandbox, act):
    (sandbox.root / "db/libvirt").write_text("1 hold ok installed\n")
    (sandbox.root / "db/nova-api").write_text("3 hold ok installed\n")
    assert act("install", {"nova-api": "2", "libvirt": "2"}, hold=False).code == 0
    assert state(sandbox) == {"libvirt": "2 hold ok installed", "nova-api": "2 hold ok installed"}
    assert act("install", {"nova-compute": "2"}).code == 0
    assert state(sandbox)["nova-compute"] == "2 hold ok installed"


def test_holds_survive_a_crash_between_install_and_hold(sandbox, act):
    (sandbox.root / "db/nova-api").write_text("1 hold ok installed\n")
    sandbox.tool("apt-mark", APT_MARK.replace("hold) sed", "hold) exit 1; sed"))
    assert act("install", {"nova-api": "2"}, hold=False).code != 0
    assert state(sandbox) == {"nova-api": "2 install ok installed"}
    sandbox.tool("apt-mark", APT_MARK)
    assert act("install", {"nova-api": "2"}, hold=False).code == 0
    assert state(sandbox) == {"nova-api": "2 hold ok installed"}


def test_apt_is_told_how_to_treat_questions_holds_and_locks(sandbox, act):
    assert act("install", {"nova-api": "2"}).code == 0
    (line,) = (line for line in sandbox.log if line.startswith("apt-get install"))
    for word in ("--force-confdef", "--force-confold", "--allow-downgrades", "--allow-change-held-packages"):
        assert word in line
    assert "DPkg::Lock::Timeout=60" in line
    assert "--no-remove" in line
    assert act("install", {"nova-api": "2"}, remove=True).code == 0
    assert "--no-remove" not in [line for line in sandbox.log if line.startswith("apt-get install")][-1]


def test_packages_may_start_nothing_and_the_policy_of_before_comes_back(sandbox, act):
    policy = sandbox.root / "sbin/policy-rc.d"
    assert act("install", {"nova-api": "2"}).code == 0
    assert "policy 101" in sandbox.log
    assert not policy.exists()
    policy.write_text("#!/bin/sh\nexit 104\n")
    policy.chmod(0o755)
    assert act("install", {"nova-api": "9:9"}).code != 0
    assert policy.read_text() == "#!/bin/sh\nexit 104\n"
    assert [path.name for path in policy.parent.iterdir()] == ["policy-rc.d"]


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_step_leaves_no_policy_in_force(sandbox, act, sig):
    policy = sandbox.root / "sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 104\n")
    policy.chmod(0o755)
    (sandbox.root / "hang").write_text("")
    sandbox.tool("killer", "")
    script = act("install", {"nova-api": "2"}, only_render=True)
    victim = f'(until [ -f "{sandbox.root}/hanging" ]; do sleep 0.1; done; kill -{int(sig)} $$) &\n'
    assert sandbox.run(replace(script, body=victim + script.body)).code != 0
    assert subprocess.run([policy, "nova", "start"], check=False).returncode == 104
    (sandbox.root / "hang").unlink()
    assert act("install", {"nova-api": "2"}).code == 0
    assert policy.read_text() == "#!/bin/sh\nexit 104\n"


def test_an_interrupted_dpkg_is_mended_once(sandbox, act):
    (sandbox.root / "broken").write_text("nova-api is half-configured\n")
    assert act("install", {"nova-api": "2"}).code == 0
    assert any("--configure -a" in line for line in sandbox.log)


def test_another_version_than_asked_for_is_a_failure(sandbox, act):
    sandbox.tool("apt-get", "")
    (sandbox.root / "db/nova-api").write_text("1 install ok installed\n")
    exited = act("install", {"nova-api": "2"})
    assert exited.code == 1
    assert "instead of 2" in exited.output


@pytest.mark.parametrize(
    "packages", [{}, {"-x": "1"}, {"nova": "1 2"}, {"nova": "$(reboot)"}, {"nova": "1\n"}, {"N": "1"}]
)
def test_bad_arguments_are_refused(packages):
    with pytest.raises(ValidationError):
        deb_packages.Model(action="install", packages=packages)
