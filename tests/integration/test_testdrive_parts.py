"""The real parts of the testdrive: sshd, MariaDB and supervisord, run as whoever runs the tests."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncssh
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from reconciler.testdrive import mariadb, sshd, supervisor

pytestmark = pytest.mark.integration


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.05)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for a Unix socket's name."""
    with tempfile.TemporaryDirectory(prefix="td-") as folder:
        yield Path(folder)


class TestSshd:
    @pytest.fixture
    def key(self) -> asyncssh.SSHKey:
        return asyncssh.generate_private_key("ssh-ed25519")

    @pytest.fixture
    async def host(self, tmp_path: Path, key: asyncssh.SSHKey):
        host = sshd.Host(
            folder=tmp_path / "api-1",
            port=free_port(),
            authorized_key=key.export_public_key().decode(),
            environment={"TESTDRIVE_HOST": "api 1", "HOME": str(tmp_path / "api-1")},
        )
        sshd.write_config(host)
        process = sshd.start(sshd.find_sshd(tmp_path / "cache"), host)
        await until(lambda: answers(host.port))
        yield host
        process.terminate()
        assert process.wait(10) in (0, 255)

    def connect(self, host: sshd.Host, key: asyncssh.SSHKey, pinned: str):
        return asyncssh.connect(
            "127.0.0.1",
            host.port,
            username=sshd.user(),
            client_keys=[key],
            known_hosts=asyncssh.import_known_hosts(f"[127.0.0.1]:{host.port} {pinned}\n"),
            config=None,
        )

    async def test_a_pinned_host_lets_its_key_in(self, host, key):
        async with self.connect(host, key, host.public_host_key) as connection:
            done = await connection.run('echo "$TESTDRIVE_HOST:$HOME"')
        assert done.stdout == f"api 1:{host.folder}\n"

    async def test_a_stranger_is_turned_away(self, host):
        with pytest.raises(asyncssh.PermissionDenied):
            await self.connect(host, asyncssh.generate_private_key("ssh-ed25519"), host.public_host_key)

    async def test_another_host_key_is_not_accepted(self, host, key):
        other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
        with pytest.raises(asyncssh.HostKeyNotVerifiable):
            await self.connect(host, key, other)

    def test_the_host_key_stays(self, host):
        before = host.public_host_key
        sshd.write_config(host)
        assert host.public_host_key == before


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = mariadb.Server(folder=tmp_path_factory.mktemp("mariadb"), port=free_port())
    process = mariadb.start(server)
    yield server
    mariadb.stop(process)
    assert process.returncode == 0


class TestMariadb:
    def test_an_account_works_in_its_database(self, server):
        account = mariadb.Account(database="keystone", name="keystone", password="s%3@/':")
        mariadb.create_database(server, account)
        engine = create_engine(mariadb.url(server, account), poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE role (name TEXT)"))
            connection.execute(text("INSERT INTO role VALUES ('ädmin')"))
            assert connection.scalar(text("SELECT name FROM role")) == "ädmin"

    def test_root_has_no_way_in_by_network(self, server):
        with pytest.raises(OperationalError, match="Access denied"):
            create_engine(f"mysql+pymysql://root@127.0.0.1:{server.port}/").connect()

    def test_a_taken_port_is_an_error_with_a_hint(self, server, tmp_path):
        with pytest.raises(mariadb.MariadbError) as raised:
            mariadb.start(mariadb.Server(folder=tmp_path, port=server.port))
        assert raised.value.hint == f"read {tmp_path}/mariadb.log"


class TestSupervisor:
    @pytest.fixture
    async def host(self, short: Path):
        code = "import os, time; print(os.environ['WORDS'], flush=True); time.sleep(600)"
        supervisor.write_config(
            short,
            [
                supervisor.Program(
                    name="keystone",
                    argv=(sys.executable, "-c", code),
                    environment={"WORDS": 'a "quoted" 100%, with, commas'},
                    directory=short,
                ),
                supervisor.Program(name="broken", argv=(sys.executable, "-c", "exit(3)"), directory=short),
            ],
        )
        process = supervisor.start(short)
        await until((short / "supervisor.sock").exists)
        yield short
        process.terminate()
        assert process.wait(20) == 0

    def ask(self, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(supervisor.control(folder, *words), capture_output=True, text=True, check=False)

    def test_a_program_starts_restarts_and_stops(self, host):
        assert self.ask(host, "status", "keystone").stdout.split()[1] == "STOPPED"
        assert self.ask(host, "start", "keystone").returncode == 0
        assert (host / "keystone.log").read_text() == 'a "quoted" 100%, with, commas\n'
        first = self.ask(host, "pid", "keystone").stdout
        assert self.ask(host, "restart", "keystone").returncode == 0
        assert self.ask(host, "pid", "keystone").stdout not in (first, "0\n")
        assert self.ask(host, "stop", "keystone").returncode == 0
        assert self.ask(host, "status", "keystone").stdout.split()[1] == "STOPPED"

    def test_a_program_that_cannot_run_is_said_so(self, host):
        assert self.ask(host, "start", "broken").returncode == 7
        assert self.ask(host, "status", "broken").stdout.split()[1] in {"FATAL", "EXITED"}  # by how busy the machine is
