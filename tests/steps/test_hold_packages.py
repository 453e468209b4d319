"""Holds: the real apt-mark on a package database of its own, and a stand-in for dnf."""

import pytest
from pydantic import ValidationError

from reconciler.steps import hold_packages

STATUS = """\
Package: {name}
Status: install ok installed
Priority: optional
Section: net
Maintainer: x <x@example.org>
Architecture: all
Version: 1.0
Description: x

"""
DNF = r"""
cd "$(dirname "$0")/.."
case "$3" in
list) cat locks 2>/dev/null || : ;;
add) [ "$4" != --raw ] || shift; case $4 in *:*) echo "$4" ;; *) echo "$4-0:1.0-1.el9.*" ;; esac >>locks ;;
delete) grep -vxF -- "$4" locks >locks.new || :; mv locks.new locks ;;
esac
"""


@pytest.fixture
def apt(sandbox):
    admin = sandbox.root / "dpkg"
    for each in ("updates", "info", "triggers", "parts"):
        (admin / each).mkdir(parents=True)
    names = ("openvswitch-common", "openvswitch-switch", "nova-compute", "other")
    (admin / "status").write_text("".join(STATUS.format(name=name) for name in names))
    (admin / "available").write_text("")
    config = sandbox.root / "apt.conf"
    state = sandbox.root / "apt"
    (state / "lists/partial").mkdir(parents=True)
    config.write_text(
        f'Dir::State "{state}"; Dir::State::status "{admin}/status"; Dir::Cache "{state}"; Dir::Etc "{state}"; Dir::Log "{state}";'
    )
    sandbox.env |= {"DPKG_ADMINDIR": str(admin), "APT_CONFIG": str(config)}
    return "apt"


@pytest.fixture
def dnf(sandbox):
    names = r"printf '%s\n' openvswitch-common openvswitch-switch nova-compute other"
    sandbox.tool("rpm", f'{names} | while read -r n; do case $n in $4) echo "$n" ;; esac; done')
    sandbox.tool("dnf", DNF)
    return "dnf"


@pytest.fixture(params=["apt", "dnf"])
def act(request, sandbox):
    manager = request.getfixturevalue(request.param)

    def run(current="run-1", **args):
        sandbox.run_id = current
        model = hold_packages.Model.model_validate({"packages": ["openvswitch-*"], "manager": manager, **args})
        return sandbox.run(hold_packages.effect(model))

    return run


def free(act, *names):
    """Which of these are free: letting go of one that is free says nothing."""
    return [name for name in names if f"free: {name}" not in act(current="look", packages=[name], hold=False).output]


OVS = "openvswitch-common openvswitch-switch"


def test_packages_are_held_and_go_back_to_what_they_were(act):
    assert act(current="run-0", packages=["openvswitch-common"]).code == 0
    for _ in range(2):
        exited = act(packages=["openvswitch-*", "nova-compute"])
        assert (exited.code, exited.values) == (0, {"packages": f"{OVS} nova-compute"}), exited.output
    for _ in range(2):
        back = act(current="run-2", packages=["openvswitch-*", "nova-compute"], restore_from="run-1")
        assert back.code == 0, back.output
    assert free(act, *OVS.split(), "nova-compute", "other") == ["openvswitch-switch", "nova-compute", "other"]


def test_packages_are_let_go_and_held_again(act):
    assert act().code == 0
    assert act(hold=False).code == 0
    assert act(hold=False, restore_from="self").code == 0
    assert free(act, *OVS.split()) == []


def test_nothing_to_hold_is_an_error_and_nothing_to_let_go_is_none(act):
    assert act(packages=["nothing-*"]).code == 1
    assert act(packages=["nothing-*"], hold=False).code == 0
    assert "nothing was changed" in act(current="run-9", restore_from="self").output


@pytest.mark.parametrize("bad", [{"packages": []}, {"packages": ["-x"]}, {"packages": ["a b"]}, {"manager": "pip"}])
def test_bad_arguments_are_refused(bad):
    with pytest.raises(ValidationError):
        hold_packages.Model.model_validate({"packages": ["x"], **bad})
