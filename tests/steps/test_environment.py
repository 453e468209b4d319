import subprocess
import zipfile

import pytest
from pydantic import ValidationError

from reconciler.steps import environment

# A stand-in for `python -m venv` and pip: makes a folder with a python that notes what pip was told.
PYTHON = r"""
case "$1 $2" in
"-m venv")
  mkdir -p "$4/bin"
  cp "$0" "$4/bin/python" ;;
"-m pip")
  shift 6
  while [ "$1" != -r ]; do echo "arg $1" >>"$(dirname "$0")/../installed"; shift; done
  cat "$2" >>"$(dirname "$0")/../installed"
  ! grep -q broken "$2" ;;
esac
"""


@pytest.fixture
def act(sandbox):
    sandbox.tool("fakepython", PYTHON)

    def run(action, path="/env", link="/current", **more):
        place = {
            "path": f"{sandbox.root}{path}" if path else "",
            "link": f"{sandbox.root}{link}" if link else "",
            "python": str(sandbox.root / "tools" / "fakepython"),
        }
        return sandbox.run(environment.effect(environment.Model(action=action, **place, **more)))

    return run


def made(sandbox):
    return sum("-m venv" in line for line in sandbox.log)


def test_an_environment_is_made_once(sandbox, act):
    spec = {"requirements": ("keystone==21.0.1", "-c /tmp/pins.txt"), "pip_args": ("--no-index",)}
    assert act("prepare", **spec).code == 0
    assert (sandbox.root / "env/installed").read_text() == "arg --no-index\nkeystone==21.0.1\n-c /tmp/pins.txt\n"
    assert "complete" in act("prepare", **spec).output
    assert made(sandbox) == 1
    assert not (sandbox.root / "env/.reconciler-building").exists()


def test_a_broken_one_is_made_anew_from_scratch(sandbox, act):
    assert act("prepare", requirements=("broken",)).code != 0
    assert not (sandbox.root / "env/.reconciler-complete").exists()
    assert act("switch").code != 0
    assert act("prepare", requirements=("whole",)).code == 0
    assert (sandbox.root / "env/installed").read_text() == "whole\n"


def test_other_requirements_make_it_anew_unless_it_is_in_use(sandbox, act):
    assert act("prepare", requirements=("one",)).code == 0
    assert act("prepare", requirements=("two",)).code == 0
    assert (sandbox.root / "env/installed").read_text() == "two\n"
    assert act("switch").code == 0
    refused = act("prepare", requirements=("three",))
    assert refused.code == 1
    assert "in use" in refused.output
    assert (sandbox.root / "env/installed").read_text() == "two\n"
    assert act("discard").code == 1
    assert act("switch", requirements=("three",)).code == 1


def test_a_folder_of_somebody_else_is_left_alone(sandbox, act):
    (sandbox.root / "env").mkdir()
    (sandbox.root / "env/precious").write_text("x")
    assert act("prepare").code == 1
    assert act("discard").code == 1
    assert act("switch").code == 1
    assert (sandbox.root / "env/precious").exists()
    assert act("switch", foreign_ok=True).code == 0
    assert (sandbox.root / "current").readlink() == sandbox.root / "env"


def test_a_switch_tells_what_was_before_also_when_repeated(sandbox, act):
    for path in ("/old", "/new"):
        assert act("prepare", path).code == 0
    assert act("switch", "/old").values == {"previous": ""}
    sandbox.run_id = "run-2"
    before = (sandbox.root / "current").lstat().st_mtime_ns
    assert act("switch", "/new").values == {"previous": f"{sandbox.root}/old"}
    switched = (sandbox.root / "current").lstat().st_mtime_ns
    assert act("switch", "/new").values == {"previous": f"{sandbox.root}/old"}
    assert (sandbox.root / "current").lstat().st_mtime_ns == switched > before


def test_a_switch_to_nothing_takes_the_link_away(sandbox, act):
    assert act("prepare").code == 0
    assert act("switch").code == 0
    assert act("switch", "").code == 0
    assert not (sandbox.root / "current").is_symlink()
    assert act("switch", "").code == 0
    assert act("discard").code == 0
    assert act("discard").code == 0
    assert not (sandbox.root / "env").exists()


def test_a_link_that_is_a_folder_is_left_alone(sandbox, act):
    assert act("prepare").code == 0
    (sandbox.root / "current").mkdir()
    assert act("switch").code == 1
    assert (sandbox.root / "current").is_dir()


@pytest.mark.integration
def test_a_real_environment_with_a_real_package(sandbox):
    wheel = sandbox.root / "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("demo.py", "print('hello')")
        archive.writestr("demo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
        archive.writestr("demo-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("demo-1.0.dist-info/RECORD", "")
    place = {"path": f"{sandbox.root}/an env", "link": f"{sandbox.root}/current"}
    made_of = {"requirements": ("demo==1.0",), "pip_args": ("--no-index", "--find-links", str(sandbox.root))}
    for action in ("prepare", "switch"):
        exited = sandbox.run(environment.effect(environment.Model(action=action, **place, **made_of)))
        assert exited.code == 0, exited.output
    python = sandbox.root / "current/bin/python"
    assert subprocess.run([python, "-m", "demo"], capture_output=True, check=True).stdout == b"hello\n"


@pytest.mark.parametrize(
    "more", [{"path": "env"}, {"path": ""}, {"action": "switch", "link": ""}, {"link": "current"}, {"action": "eat"}]
)
def test_bad_arguments_are_refused(more):
    with pytest.raises(ValidationError):
        environment.Model.model_validate({"action": "prepare", "path": "/env", "link": "/current", **more})
