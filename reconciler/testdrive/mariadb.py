"""A private MariaDB server on loopback, run by an ordinary user from a folder of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from reconciler.errors import ReconcilerError

SBIN = "/usr/sbin:/sbin:/usr/local/sbin"  # Debian keeps them out of an ordinary user's PATH
ADMIN = "testdrive"
TIMEOUT_S = 30.0


class MariadbError(ReconcilerError):
    """The private MariaDB server did not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server's folder and port. Its administrator may come from 127.0.0.1 with the password in the folder."""

    folder: Path
    port: int

    @property
    def password(self) -> str:
        """Read the administrator's password."""
        return (self.folder / "password").read_text().strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of one database."""

    database: str
    name: str
    password: str


def is_installed() -> bool:
    """Tell whether MariaDB's server and its tools are on this machine."""
    return all(_find(tool) for tool in ("mariadbd", "mariadb-install-db", "mariadb-dump", "mariadb"))


def initialise(server: Server) -> None:
    """Make the data directory and the administrator's password; an existing one is kept."""
    if (server.folder / "data/mysql").exists():
        return
    server.folder.mkdir(parents=True, exist_ok=True)
    password = secrets.token_hex(16)
    _write_private(server.folder / "password", password)
    _write_private(
        server.folder / "init.sql",
        f"CREATE USER IF NOT EXISTS '{ADMIN}'@'127.0.0.1' IDENTIFIED BY '{password}';\n"
        f"GRANT ALL PRIVILEGES ON *.* TO '{ADMIN}'@'127.0.0.1' WITH GRANT OPTION;\n",
    )
    argv = (_find("mariadb-install-db"), "--no-defaults", "--skip-test-db", *_common(server))
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MariadbError(
            f"mariadb-install-db exited {done.returncode}: {done.stderr.strip() or done.stdout.strip()}",
            reason="MariadbFailed",
            hint=f"look at {server.folder}; remove it to begin anew",
        )


def command(server: Server) -> tuple[str, ...]:
    """Give the command line of a server in the foreground; SIGTERM stops it cleanly.

    The socket's name is relative to the data directory, so that no folder is too deep for it.
    """
    return (
        _find("mariadbd"),
        "--no-defaults",
        *_common(server),
        f"--init-file={server.folder}/init.sql",
        "--socket=mariadb.sock",
        f"--pid-file={server.folder}/mariadb.pid",
        "--bind-address=127.0.0.1",
        f"--port={server.port}",
        "--skip-name-resolve",
        "--max-connections=400",
        "--innodb-flush-log-at-trx-commit=2",
    )


def start(server: Server) -> subprocess.Popen[bytes]:
    """Start the server in a session of its own and return when it answers.

    Raises:
        MariadbError: it ended, or did not answer in time.
    """
    initialise(server)
    with (server.folder / "mariadb.log").open("ab") as log:
        process = subprocess.Popen(
            command(server), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    deadline = time.monotonic() + TIMEOUT_S
    while not _answers(server):
        if process.poll() is not None or time.monotonic() > deadline:
            process.terminate()
            raise MariadbError(
                f"MariaDB does not answer on port {server.port}",
                reason="MariadbFailed",
                hint=f"read {server.folder}/mariadb.log",
            )
        time.sleep(0.05)
    return process


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a server cleanly and wait for its end."""
    process.terminate()
    process.wait(TIMEOUT_S)


def create_database(server: Server, account: Account) -> None:
    """Create an empty database and the account that owns it."""
    with _admin(server).begin() as connection:
        connection.execute(text(f"CREATE DATABASE `{account.database}` CHARACTER SET utf8mb4"))
        who = {"name": account.name, "password": account.password}
        connection.execute(text("CREATE USER :name@'127.0.0.1' IDENTIFIED BY :password"), who)
        connection.execute(text(f"GRANT ALL ON `{account.database}`.* TO :name@'127.0.0.1'"), who)


def url(server: Server, account: Account) -> str:
    """Give the account's SQLAlchemy address."""
    login = f"{quote(account.name, safe='')}:{quote(account.password, safe='')}"
    return f"mysql+pymysql://{login}@127.0.0.1:{server.port}/{account.database}?charset=utf8mb4"


def _common(server: Server) -> tuple[str, ...]:
    as_root = ("--user=root",) if os.geteuid() == 0 else ()  # it refuses to be root unless told
    # A server that starts removes what it takes for its own old temporary tables: none shares that folder with another.
    return (f"--datadir={server.folder}/data", f"--tmpdir={server.folder}", *as_root)


def _find(tool: str) -> str:
    return shutil.which(tool, path=f"{os.environ.get('PATH', '')}:{SBIN}") or ""


def _write_private(path: Path, content: str) -> None:
    path.touch(mode=0o600)
    path.write_text(content)


def _admin(server: Server) -> Engine:
    account = Account(database="", name=ADMIN, password=server.password)
    return create_engine(url(server, account), poolclass=NullPool)


def _answers(server: Server) -> bool:
    try:
        _admin(server).connect().close()
    except OperationalError:
        return False
    return True
