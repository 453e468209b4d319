from dataclasses import replace

import pytest
from pydantic import ValidationError

from reconciler.steps import package_repository

KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx\n-----END PGP PUBLIC KEY BLOCK-----"
ASKED = {"manager": "apt", "name": "pike", "url": "http://mirror/ubuntu", "suites": ["xenial-updates/pike"]}


@pytest.fixture
def order(sandbox):
    etc = sandbox.root / "etc"
    (etc / "apt/sources.list.d").mkdir(parents=True)
    (etc / "apt/sources.list").write_text("deb http://old xenial main\n")
    (etc / "apt/sources.list.d/ocata.list").write_text("deb http://ocata xenial main\n")
    sandbox.tool(
        "apt-get", f'[ ! -f "{sandbox.root}/away" ] || {{ echo "E: Failed to fetch http://mirror" >&2; exit 100; }}'
    )

    def run(**more):
        model = package_repository.Model.model_validate(ASKED | {"components": ["main"], "key": KEY} | more)
        script = package_repository.effect(model)
        return sandbox.run(replace(script, args=(str(etc), *script.args[1:])))

    run.files = lambda: {str(p.relative_to(etc)): p.read_text() for p in sorted(etc.rglob("*")) if p.is_file()}
    return run


def test_our_own_file_and_key_are_written_and_others_go_out_of_the_way(order, sandbox):
    exited = order(disable=["ocata.list", "sources.list", "gone.list"], priority=1001)
    assert exited.code == 0, exited.output
    assert order.files() == {
        "apt/keyrings/pike.asc": KEY + "\n",
        "apt/preferences.d/pike.pref": 'Package: *\nPin: origin "mirror"\nPin-Priority: 1001\n',
        "apt/sources.list.d/pike.list": "deb [signed-by=/etc/apt/keyrings/pike.asc] "
        "http://mirror/ubuntu xenial-updates/pike main\n",
    }
    assert "sources.list.d/pike.list" in sandbox.log[0]
    assert "Dir::Etc::sourceparts=-" in sandbox.log[0]


def test_going_back_brings_every_file_back(order):
    before = order.files()
    for name in ("pike", "pike", "queens"):
        assert order(name=name, disable=["ocata.list"]).code == 0
    for name in ("queens", "pike", "pike"):
        assert order(name=name, action="restore").code == 0
    assert order.files() == before
    assert "switched nothing" in order(name="rocky", action="restore").output


def test_an_index_that_does_not_come_fails_the_switch_but_not_the_way_back(order, sandbox):
    before = order.files()
    (sandbox.root / "away").touch()
    assert order(disable=["ocata.list"]).code != 0
    assert order(action="restore").code == 0
    assert order.files() == before


def test_an_apt_that_only_warns_is_heard(order, sandbox):
    sandbox.tool("apt-get", "echo 'W: Failed to fetch http://mirror/InRelease' >&2")
    exited = order()
    assert exited.code == 1
    assert "did not come" in exited.output


def test_dnf_reads_one_file(order, sandbox):
    sandbox.tool("dnf", "")
    exited = order(manager="dnf", url="http://mirror/el7", suites=[], components=[], priority=7)
    assert exited.code == 0, exited.output
    assert order.files()["yum.repos.d/pike.repo"].splitlines() == [
        "[pike]",
        "name=pike",
        "baseurl=http://mirror/el7",
        "enabled=1",
        "gpgcheck=1",
        "gpgkey=file:///etc/pki/rpm-gpg/pike.asc",
        "priority=7",
    ]
    assert sandbox.log == ["dnf -y -q --disablerepo=* --enablerepo=pike makecache"]


@pytest.mark.parametrize(
    "more",
    [
        {"url": ""},
        {"url": "http://x y"},
        {"url": "http://x\ndeb http://y"},
        {"suites": []},
        {"suites": ["a b"]},
        {"manager": "dnf"},
        {"key": "x"},
        {"disable": ["../shadow"]},
        {"disable": ["passwd"]},
        {"disable": ["pike.list"]},
        {"name": "a/b"},
    ],
)
def test_bad_arguments_are_refused(more):
    with pytest.raises(ValidationError):
        package_repository.Model.model_validate(ASKED | more)
