"""Dumps on their way between hosts: real sshd, scp, rsync and MariaDB."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.domain.outcome import Done, Failed, Outcome
from reconciler.domain.reasons import Reason
from reconciler.steps import Evidence, load, transfer
from tests.support.debian import program
from tests.support.mariadb import shared
from tests.support.sandbox import Sandbox
from tests.support.sshd import Sshd, running_sshd

pytestmark = pytest.mark.integration
DUMP = b"-- a dump\n" * 5000
SECRET = {"key": {"kind": "env", "origin": "X"}}
Act = Callable[..., Outcome]


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    program("rsync", "rsync")
    with running_sshd(tmp_path_factory.mktemp("sshd"), "Subsystem sftp internal-sftp\n") as server:
        yield server


@pytest.fixture
def there(tmp_path: Path) -> Path:
    folder = tmp_path / "there" / "run-1"
    folder.mkdir(parents=True)
    put(folder / "nova.api.sql.gz", DUMP)
    return folder


def put(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    Path(f"{path}.sha256").write_text(f"{hashlib.sha256(content).hexdigest()}  {path.name}\n")


@pytest.fixture
def act(sandbox: Sandbox, sshd: Sshd, there: Path) -> Act:
    def run(key: str = sshd.client_key.read_text(), **more: object) -> Outcome:
        host = sshd.host()
        args: dict[str, object] = {"service": "nova", "database": "api", "engine": "mariadb", "dbname": "x"}
        args |= {"dir": str(sandbox.root / "here"), "source_dir": str(there.parent), "source": "127.0.0.1"}
        args |= {"ssh_user": host.login.user, "ssh_port": sshd.port, "ssh_key": "key", "secret_refs": SECRET}
        args |= {"host_key": " ".join(sshd.known_hosts.read_text().split()[1:3]), **more}
        model = transfer.Model.model_validate(args)
        return transfer.judge(model, Evidence(sandbox.run(transfer.effect(model), {"key": key})))

    return run


@pytest.mark.parametrize(
    "more", [{"tool": "scp"}, {"tool": "rsync"}, {"tool": "rsync", "limit_kib_s": 5000}, {"limit_kib_s": 5000}]
)
def test_a_dump_arrives_whole_with_its_checksum(
    sandbox: Sandbox, there: Path, act: Act, more: dict[str, object]
) -> None:
    done = act(**more)
    assert isinstance(done, Done), done
    path = sandbox.root / "here/run-1/nova.api.sql.gz"
    assert path.read_bytes() == DUMP
    assert done.values == {"path": str(path), "sha256": hashlib.sha256(DUMP).hexdigest(), "bytes": str(len(DUMP))}
    assert sorted(one.name for one in path.parent.iterdir()) == [path.name, f"{path.name}.sha256"]
    (there / path.name).unlink()
    assert act(**more).values == done.values


@pytest.mark.parametrize("tool", ["scp", "rsync"])
def test_what_a_lost_attempt_left_is_completed_or_replaced(sandbox: Sandbox, act: Act, tool: str) -> None:
    folder = sandbox.root / "here/run-1"
    folder.mkdir(parents=True)
    (folder / "nova.api.sql.gz.part").write_bytes(b"x" + DUMP[1:3000])
    assert isinstance(act(tool=tool), Done)
    assert (folder / "nova.api.sql.gz").read_bytes() == DUMP


def test_a_file_that_differs_from_its_checksum_is_not_kept(sandbox: Sandbox, there: Path, act: Act) -> None:
    (there / "nova.api.sql.gz").write_bytes(DUMP + b"more")
    failed = act()
    assert isinstance(failed, Failed)
    assert failed.reason == Reason.BACKUP_UNREADABLE
    assert list((sandbox.root / "here/run-1").iterdir()) == []


def test_an_absent_database_and_another_file_travel_too(sandbox: Sandbox, there: Path, act: Act) -> None:
    (there / "nova.cell0.absent").touch()
    assert act(database="cell0").values == {"absent": "yes"}
    assert (sandbox.root / "here/run-1/nova.cell0.absent").exists()
    (there / "etc.tar").write_bytes(b"tar")
    assert isinstance(act(file="etc.tar"), Done)
    assert isinstance(act(file="none.tar"), Failed)


def test_neither_a_strange_host_nor_a_strange_key_passes(
    sandbox: Sandbox, sshd: Sshd, act: Act, tmp_path: Path
) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other"], check=True)
    public = " ".join((tmp_path / "other.pub").read_text().split()[:2])
    for failed in (act(host_key=public), act(key=(tmp_path / "other").read_text())):
        assert isinstance(failed, Failed)
        assert "127.0.0.1 cannot be entered" in failed.text


def test_the_key_shows_nowhere_and_its_agent_ends(sandbox: Sandbox, sshd: Sshd, act: Act) -> None:
    real = program("ssh-agent", "openssh-client")
    sandbox.tool("ssh-agent", f'exec {real} "$@"')
    assert isinstance(act(), Done)
    assert sandbox.log == ["ssh-agent -s", "ssh-agent -k"]
    secret = sshd.client_key.read_text().splitlines()[2]
    held = [one for one in sandbox.root.rglob("*") if one.is_file() and one.name != "script.sh"]
    assert not any(secret in one.read_text(errors="replace") for one in held)


def test_a_server_is_asked_for_a_dump_that_can_be_loaded(sandbox: Sandbox) -> None:
    server = shared()
    names = [f"{verb}_{abs(hash(sandbox.root))}" for verb in ("old", "new")]
    server.run(*(f"DROP DATABASE IF EXISTS {name}" for name in names), f"CREATE DATABASE {names[0]}")
    server.run("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (7)", dbname=names[0])
    login = {"host": "127.0.0.1", "port": server.port, "user": server.user}
    common = {"service": "nova", "database": "api", "engine": "mariadb", "dir": str(sandbox.root / "here")}
    asked = transfer.Model.model_validate(
        {
            **common,
            "dbname": names[1],
            "dump_from": {**login, "dbname": names[0], "password": "key"},
            "secret_refs": SECRET,
        }
    )
    done = transfer.judge(asked, Evidence(sandbox.run(transfer.effect(asked), {"password": server.password})))
    assert isinstance(done, Done), done
    loaded = load.Model.model_validate({**common, **login, "dbname": names[1], "password": SECRET["key"]})
    done = load.judge(loaded, Evidence(sandbox.run(load.effect(loaded), {"password": server.password})))
    assert isinstance(done, Done), done
    assert (done.values["tables"], done.values["created"]) == ("1", "yes")
    server.run(*(f"DROP DATABASE {name}" for name in names))
