"""A private MariaDB: own data directory, loopback, free port, thrown away at the end."""

from __future__ import annotations

import atexit
import functools
import getpass
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pymysql

from tests.support.debian import program
from tests.support.net import free_port

PASSWORD = "s3cret/with@odd:chars"


@dataclass(frozen=True)
class Mariadb:
    """`user` may do everything from 127.0.0.1 with `password`; root needs none through the socket."""

    port: int
    socket: Path
    user: str = "cloud"
    password: str = PASSWORD

    def url(self, dbname: str) -> str:
        return f"mysql+pymysql://{self.user}@127.0.0.1:{self.port}/{dbname}"

    def run(self, *statements: str, dbname: str | None = None) -> None:
        """Execute statements as root."""
        with (
            pymysql.connect(unix_socket=str(self.socket), user="root", database=dbname, autocommit=True) as connection,
            connection.cursor() as cursor,
        ):
            for statement in statements:
                cursor.execute(statement)

    def rows(self, statement: str) -> Sequence[Sequence[object]]:
        """Ask as root."""
        with (
            pymysql.connect(unix_socket=str(self.socket), user="root") as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
            return cursor.fetchall()

    def fill(self, dbname: str, statements: Iterable[tuple[str, Sequence[tuple[object, ...]]]]) -> None:
        """Execute each statement once per row of values, as root."""
        with (
            pymysql.connect(unix_socket=str(self.socket), user="root", database=dbname, autocommit=True) as connection,
            connection.cursor() as cursor,
        ):
            for statement, rows in statements:
                for row in rows:
                    cursor.execute(statement, row)


@functools.cache
def shared(log: str = "--skip-log-bin", *options: str) -> Mariadb:
    """Start one server for the whole test process, on first use; it is stopped when the process ends.

    With `--log-bin=NAME` it is another one, which keeps a binary log; with other `options` one that has these.
    """
    server = program("mariadbd", "mariadb-server-core")
    folder = Path(tempfile.mkdtemp(prefix="mariadb-test-"))
    daemon, found = _start(server, folder, (log, *options))
    atexit.register(_stop, daemon, folder)
    return found


def _start(server: str, folder: Path, options: tuple[str, ...]) -> tuple[subprocess.Popen[bytes], Mariadb]:
    data, port, socket = folder / "data", free_port(), folder / "sock"
    user = f"--user={getpass.getuser()}"
    install = program("mariadb-install-db", "mariadb-server-core")
    subprocess.run(
        [
            install,
            "--no-defaults",
            f"--datadir={data}",
            user,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            f"--tmpdir={folder}",  # two at once would take each other's files from a common one
        ],
        check=True,
        capture_output=True,
    )
    with (folder / "log").open("wb") as said:
        daemon = subprocess.Popen(
            [
                *(server, "--no-defaults", f"--datadir={data}", user, f"--socket={socket}", f"--port={port}"),
                *("--bind-address=127.0.0.1", "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0"),
                *(*options, "--performance-schema=OFF", f"--pid-file={folder}/pid"),
                f"--tmpdir={folder}",  # a server that starts removes temporary tables of others from a common one
            ],
            stdout=said,
            stderr=said,
        )
    found = Mariadb(port, socket)
    _await(found, daemon, folder / "log")
    found.run(f"CREATE USER cloud@127.0.0.1 IDENTIFIED BY '{PASSWORD}'", "GRANT ALL ON *.* TO cloud@127.0.0.1")
    return daemon, found


def _await(server: Mariadb, daemon: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            server.run("SELECT 1")
        except pymysql.err.OperationalError as error:
            if daemon.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"MariaDB does not start: {log.read_text()[-2000:]}") from error
            time.sleep(0.1)
        else:
            return


def _stop(daemon: subprocess.Popen[bytes], folder: Path) -> None:
    daemon.terminate()
    daemon.wait(30)
    shutil.rmtree(folder, ignore_errors=True)
