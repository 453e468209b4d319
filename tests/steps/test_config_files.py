import hashlib
import os
import stat
import subprocess
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from reconciler.domain.desired import ConfigFile, Host, Service
from reconciler.domain.observation import Known
from reconciler.observers import config_digest
from reconciler.ports import Answer
from reconciler.steps import config_files

CONF = "[database]\nconnection = mysql://{secret:pw}@db\nodd = $HOME `id` 'x' \"y\" \\\\ %s\n\n"
SECRETS = {"pw": "s3cr'et$(id)"}


@pytest.fixture
def act(sandbox):
    def run(*files, run="run-1", restore_from="", digest="ab12"):
        sandbox.run_id = run
        described = [{"path": f"{sandbox.root}{path}", "content": text, "mode": mode} for path, text, mode in files]
        args = {"service": "keystone", "digest": digest, "files": described, "restore_from": restore_from}
        return sandbox.run(config_files.effect(config_files.Model.model_validate(args)), SECRETS)

    return run


def read(sandbox, path):
    file = sandbox.root / path
    return file.read_text() if file.exists() else None


def test_files_are_written_whole_with_secrets_and_stamped(sandbox, act):
    exited = act(("/etc/k/k.conf", CONF, 0o640), ("/etc/k/empty", "", 0o600))
    assert exited.code == 0, exited.output
    text = read(sandbox, "etc/k/k.conf")
    assert text == CONF.replace("{secret:pw}", SECRETS["pw"])
    assert stat.S_IMODE((sandbox.root / "etc/k/k.conf").stat().st_mode) == 0o640
    assert read(sandbox, "etc/k/empty") == ""
    sums = [hashlib.sha256(one.encode()).hexdigest() for one in (text, "")]
    assert read(sandbox, "state/config/keystone").splitlines() == [
        "run run-1",
        "digest ab12",
        f"file {sums[0]} {sandbox.root}/etc/k/k.conf",
        f"file {sums[1]} {sandbox.root}/etc/k/empty",
    ]
    assert not list((sandbox.root / "etc/k").glob("*.reconciler"))
    assert stat.S_IMODE((sandbox.root / "state/saved").stat().st_mode) == 0o700
    assert SECRETS["pw"] not in exited.output


def test_what_stood_before_comes_back_also_after_a_second_attempt(sandbox, act):
    (sandbox.root / "etc").mkdir()
    old = sandbox.root / "etc/old.conf"
    old.write_text("old\n")
    old.chmod(0o604)
    files = (("/etc/old.conf", "new\n", 0o640), ("/etc/new.conf", "new\n", 0o640))
    assert act(*files).code == 0
    assert act(*files).code == 0
    assert read(sandbox, "etc/old.conf") == "new\n"
    for _ in range(2):
        assert act(restore_from="self").code == 0
        assert read(sandbox, "etc/old.conf") == "old\n"
        assert stat.S_IMODE(old.stat().st_mode) == 0o604
        assert read(sandbox, "etc/new.conf") is None
        assert read(sandbox, "state/config/keystone") is None


def test_a_later_run_takes_an_earlier_one_back(sandbox, act):
    assert act(("/etc/k.conf", "one", 0o640), run="run-1", digest="01").code == 0
    assert act(("/etc/k.conf", "two", 0o640), run="run-2", digest="02").code == 0
    assert act(run="run-3", restore_from="run-2").code == 0
    assert read(sandbox, "etc/k.conf") == "one"
    assert "digest 01" in read(sandbox, "state/config/keystone")


def test_a_run_that_wrote_nothing_is_taken_back_by_doing_nothing(sandbox, act):
    assert act(("/etc/k.conf", "one", 0o640)).code == 0
    assert act(run="run-2", restore_from="self").code == 0
    assert read(sandbox, "etc/k.conf") == "one"


def test_a_run_whose_kept_files_are_gone_cannot_be_taken_back(sandbox, act):
    assert act(("/etc/k.conf", "one", 0o640)).code == 0
    (sandbox.root / "state/saved").rename(sandbox.root / "elsewhere")
    assert act(run="run-2", restore_from="run-1").code == 1


def test_a_crash_in_the_midst_loses_nothing(sandbox, act):
    (sandbox.root / "etc").mkdir()
    (sandbox.root / "etc/a").write_text("was a")
    (sandbox.root / "etc/b").mkdir()
    files = (("/etc/a", "is a", 0o640), ("/etc/b", "is b", 0o640))
    assert act(*files).code == 1
    (sandbox.root / "etc/b").rmdir()
    assert act(*files).code == 0
    assert act(restore_from="self").code == 0
    assert (read(sandbox, "etc/a"), read(sandbox, "etc/b")) == ("was a", None)


def test_the_same_content_keeps_its_time_and_another_is_of_now(sandbox, act):
    assert act(("/etc/k.conf", "one", 0o640)).code == 0
    file = sandbox.root / "etc/k.conf"
    os.utime(file, (1000, 1000))
    assert act(("/etc/k.conf", "one", 0o600), run="run-2").code == 0
    assert (file.stat().st_mtime, stat.S_IMODE(file.stat().st_mode)) == (1000, 0o600)
    assert act(("/etc/k.conf", "two", 0o600), run="run-3").code == 0
    assert file.stat().st_mtime > 1000
    os.utime(file, (1000, 1000))
    assert act(run="run-3", restore_from="self").code == 0
    assert read(sandbox, "etc/k.conf") == "one"
    assert file.stat().st_mtime > 1000


def test_the_observer_reads_the_stamp(sandbox, act):
    service = Service(
        **{"name": "keystone", "component": "x", "series": "x", "release": "x", "procedure": "x"},  # noqa: PIE804
        config={"*": (ConfigFile(path="/x", template=""),)},
    )
    (question,) = config_digest.questions(Host(name="h", address="::1", state_dir=str(sandbox.home)), [service])

    def digest():
        done = subprocess.run(["sh", "-c", question.script, "sh", *question.args], capture_output=True, check=False)
        seen = config_digest.parse(Answer(done.returncode, done.stdout), datetime(2026, 1, 2, tzinfo=UTC))["keystone"]
        assert isinstance(seen, Known)
        return seen.value.digest

    assert act(("/etc/a b.conf", CONF, 0o640), ("/etc/c", "", 0o600)).code == 0
    assert digest() == "ab12"
    with (sandbox.root / "etc/a b.conf").open("a") as file:
        file.write("# by hand\n")
    assert digest() is None


def test_a_link_is_not_replaced(sandbox, act):
    (sandbox.root / "etc").mkdir()
    (sandbox.root / "etc/k.conf").symlink_to("elsewhere")
    assert act(("/etc/k.conf", "one", 0o640)).code == 1
    assert (sandbox.root / "etc/k.conf").is_symlink()


@pytest.mark.parametrize(
    "bad",
    [
        {"files": []},
        {"restore_from": "run-1"},
        {"digest": ""},
        {"service": "../x"},
        {"restore_from": "../x", "files": []},
        {"files": [{"path": "etc/x", "content": ""}]},
        {"files": [{"path": "/etc/x\n", "content": ""}]},
        {"files": [{"path": "/x", "content": ""}, {"path": "/x", "content": ""}]},
        {"files": [{"path": "/x", "content": "", "owner": "-R"}]},
    ],
)
def test_bad_arguments_are_refused(bad):
    good = {"service": "k", "digest": "ab", "files": [{"path": "/x", "content": ""}]}
    config_files.Model.model_validate(good)
    with pytest.raises(ValidationError):
        config_files.Model.model_validate({**good, **bad})
