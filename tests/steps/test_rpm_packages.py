import pytest
from pydantic import ValidationError

from reconciler.steps import rpm_packages

# yum as it was: `install` goes up only, `downgrade` goes down only, locks are epoch:name-version-release.*
YUM = r"""
db=$(dirname "$0")/../db
[ "$1" != -y ] || shift
[ "$1" != -q ] || shift
verb=$1; shift
case $verb in
versionlock)
  [ ! -f "$db/../plain" ] || { echo "No such command: versionlock" >&2; exit 1; }
  verb=$1; shift
  case $verb in
  list) cat "$db/../locks" 2>/dev/null || : ;;
  add) for name; do read -r version <"$db/$name"; echo "${version%%:*}:$name-${version#*:}.*" >>"$db/../locks"; done ;;
  delete) for name; do sed -i "/^[0-9]*:$name-[0-9]/d" "$db/../locks"; done ;;
  esac ;;
install | downgrade)
  for spec; do
    case $spec in -*) continue ;; esac
    name=${spec%-*-*} version=${spec#"${spec%-*-*}"-}
    case $version in *:*) ;; *) version=0:$version ;; esac
    ! grep -q ":$name-[0-9]" "$db/../locks" 2>/dev/null || continue
    old=$(cat "$db/$name" 2>/dev/null || echo 0:0)
    newer=$(printf '%s\n%s\n' "$old" "$version" | sort -V | tail -n 1)
    if [ "$verb" = install ] && [ "$newer" != "$version" ]; then continue; fi
    if [ "$verb" = downgrade ] && [ "$newer" = "$version" ]; then continue; fi
    echo "$version" >"$db/$name"
  done ;;
remove) rm "$db/$1" ;;
esac
"""
RPM = r"""
for name; do :; done
cat "$(dirname "$0")/../db/$name" 2>/dev/null || { echo "package $name is not installed"; exit 1; }
"""


@pytest.fixture
def order(sandbox):
    (sandbox.root / "db").mkdir()
    sandbox.tool("yum", YUM)
    sandbox.tool("rpm", RPM)
    sandbox.tool("dnf", f'exec "{sandbox.root}/tools/yum" "$@"')

    def run(action, version="2.0-1", **more):
        return sandbox.run(rpm_packages.effect(rpm_packages.Model(action=action, packages={"nova": version}, **more)))

    run.version = lambda: (sandbox.root / "db/nova").read_text().strip()
    run.locks = lambda: (sandbox.root / "locks").read_text().split()
    return run


def test_what_install_leaves_newer_is_brought_down(order):
    for version in ("2.0-1", "1:1.5-1", "1.0-1"):
        exited = order("install", version)
        assert exited.code == 0, exited.output
        assert order.version() == (version if ":" in version else f"0:{version}")
    assert order.locks() == ["0:nova-1.0-1.*"]


def test_back_is_what_the_run_found(order, sandbox):
    assert order("install", "1.0-1").code == 0
    sandbox.run_id = "run-2"
    assert order("install", "2.0-1", hold=False).code == 0
    assert order("install", "3.0-1", hold=False).code == 0
    assert order.locks() == ["0:nova-3.0-1.*"]
    for _ in range(2):
        assert order("back").code == 0
        assert (order.version(), order.locks()) == ("0:1.0-1", ["0:nova-1.0-1.*"])
    sandbox.run_id = "run-1"
    assert order("back").code == 0
    assert not (sandbox.root / "db/nova").exists()
    assert order.locks() == []
    sandbox.run_id = "run-3"
    assert "installed nothing" in order("back").output


def test_a_host_that_cannot_hold_says_so_before_anything_changes(order, sandbox):
    (sandbox.root / "plain").touch()
    exited = order("install")
    assert exited.code == 1
    assert "versionlock" in exited.output
    assert not (sandbox.root / "db/nova").exists()
    assert order("install", hold=False).code == 0
    assert order.version() == "0:2.0-1"


def test_another_version_than_asked_for_is_a_failure(order, sandbox):
    sandbox.tool("dnf", "")
    exited = order("install", hold=False)
    assert exited.code == 1
    assert "package nova is  instead of 2.0-1" in exited.output


def test_others_are_erased_only_where_that_is_allowed(order, sandbox):
    assert order("install").code == 0
    assert not any("--allowerasing" in line for line in sandbox.log)
    assert order("install", "3.0-1", remove=True).code == 0
    assert any("dnf -y install --allowerasing nova-3.0-1" in line for line in sandbox.log)


@pytest.mark.parametrize("packages", [{}, {"-x": "1-1"}, {"nova": "1"}, {"nova": "1-1 2"}, {"nova": "$(x)-1"}])
def test_bad_arguments_are_refused(packages):
    with pytest.raises(ValidationError):
        rpm_packages.Model(action="install", packages=packages)
