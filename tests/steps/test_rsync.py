"""Folders on their way between hosts: real sshd and rsync."""

import os

import pytest
from pydantic import ValidationError

from reconciler.domain.outcome import Done, Failed
from reconciler.steps import Evidence, rsync
from tests.support.debian import program
from tests.support.sshd import running_sshd

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def sshd(tmp_path_factory):
    program("rsync", "rsync")
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def there(tmp_path):
    folder = tmp_path / "images"
    (folder / "sub").mkdir(parents=True)
    (folder / "a b $(id)").write_bytes(b"x" * 5000)
    (folder / "sub/one").write_bytes(b"1")
    os.link(folder / "sub/one", folder / "hard")
    return folder


@pytest.fixture
def act(sandbox, sshd, there):
    def run(current="run-1", **more):
        sandbox.run_id = current
        args = {"source": "127.0.0.1", "ssh_user": sshd.host().login.user, "ssh_port": sshd.port, "ssh_key": "key"}
        args |= {
            "secret_refs": {"key": {"kind": "env", "origin": "X"}},
            "path": str(there),
            "to": str(sandbox.root / "new/images"),
        }
        args |= {"host_key": " ".join(sshd.known_hosts.read_text().split()[1:3]), **more}
        model = rsync.Model.model_validate(args)
        return rsync.judge(model, Evidence(sandbox.run(rsync.effect(model), {"key": sshd.client_key.read_text()})))

    return run


@pytest.mark.parametrize("more", [{}, {"checksum": True, "limit_kib_s": 9000, "owner": f"{os.getuid()}:{os.getgid()}"}])
def test_a_folder_arrives_whole_and_is_emptied_by_its_run_alone(sandbox, act, more):
    new = sandbox.root / "new/images"
    for _ in range(2):
        done = act(**more)
        assert isinstance(done, Done), done
        assert done.values["files"] == "3"
    assert (new / "a b $(id)").read_bytes() == b"x" * 5000
    assert (new / "hard").stat().st_ino == (new / "sub/one").stat().st_ino
    assert "copied nothing" in act(current="run-2", restore_from="self").text
    assert isinstance(act(current="run-2", restore_from="run-1"), Done)
    assert list(new.iterdir()) == []


def test_a_folder_with_files_is_left_alone_unless_that_is_meant(sandbox, act):
    new = sandbox.root / "new/images"
    new.mkdir(parents=True)
    (new / "theirs").write_text("x")
    failed = act()
    assert isinstance(failed, Failed)
    assert "is not empty" in failed.text
    assert isinstance(act(into=True, exclude=["sub"]), Done)
    assert sorted(one.name for one in new.iterdir()) == ["a b $(id)", "hard", "theirs"]
    assert isinstance(act(into=True, delete=True), Done)
    assert not (new / "theirs").exists()


def test_the_content_counts_where_it_is_compared(sandbox, there, act):
    assert isinstance(act(), Done)
    copy = sandbox.root / "new/images/sub/one"
    times = copy.stat()
    copy.write_bytes(b"2")
    os.utime(copy, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert isinstance(act(), Done)
    assert copy.read_bytes() == b"2"
    assert isinstance(act(checksum=True), Done)
    assert copy.read_bytes() == b"1"


def test_a_source_that_is_not_there_fails(act):
    assert isinstance(act(path="/nowhere/at/all"), Failed)


@pytest.mark.parametrize(
    "bad",
    [
        {"path": "/a b"},
        {"path": "/$(id)"},
        {"to": "x"},
        {"owner": "glance"},
        {"into": True, "restore_from": "self"},
        {"source": "-x"},
    ],
)
def test_bad_arguments_are_refused(bad):
    with pytest.raises(ValidationError):
        rsync.Model.model_validate({"source": "h", "path": "/a", "to": "/b", **bad})
