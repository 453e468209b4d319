"""A whole small site: hosts behind real sshd, a git repository, a SQLite database, and a service that needs nothing."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import sqlite3
import subprocess
from contextlib import closing, suppress
from pathlib import Path
from string import Template

import httpx

from tests.support.gitrepo import GitRepo
from tests.support.net import free_port
from tests.support.sshd import Sshd, start_sshd

HERE = Path(__file__).parent
HOSTS = ("alpha", "beta")
TOKEN = "canary-7f3a9c-of-the-token"


def made_tools(folder: Path, *sources: Path) -> Path:
    """Fill a folder with the programs of others, executable."""
    folder.mkdir(exist_ok=True)
    for source in (each for place in sources for each in place.iterdir()):
        shutil.copy(source, folder / source.name)
        (folder / source.name).chmod(0o755)
    return folder


def two_servers(first: Path, second: Path) -> tuple[Sshd, Sshd]:
    """Start two hosts that the same key opens."""
    begun = start_sshd(first)
    second.mkdir(exist_ok=True)
    for name in ("client_key", "client_key.pub"):
        shutil.copy(begun.folder / name, second)
    return begun, start_sshd(second)


class Site:
    """A fleet of two hosts at release one. `commit` writes another desired state; nothing reads it but a daemon."""

    def __init__(self, root: Path, tools: Path, servers: tuple[Sshd, Sshd]) -> None:
        self.root = root
        self.tools = tools
        self.servers = servers
        self.http = (free_port(), free_port())
        self.web = free_port()
        self.repo = GitRepo(root / "fleet.git")
        self.head = ""
        self.token = root / "token"
        self.token.touch(0o600)
        self.token.write_text(TOKEN + "\n")
        self._pin()
        self._settings()
        self._database()
        for host, port in zip(HOSTS, self.http, strict=True):
            self._host(host, port)

    # ------------------------------------------------------------ places

    @property
    def config(self) -> Path:
        return self.root / "reconciler.toml"

    @property
    def state(self) -> Path:
        return self.root / "daemon"

    @property
    def store(self) -> Path:
        return self.state / "journal.sqlite"

    @property
    def known_hosts(self) -> Path:
        return self.root / "known_hosts"

    @property
    def database(self) -> Path:
        return self.root / "demo.db"

    @property
    def hold(self) -> Path:
        """While it exists, the schema tool does not get on."""
        return self.root / "hold"

    # ------------------------------------------------------------ what is wanted

    def files(self, release: str = "one", mode: str = "good") -> dict[str, str]:
        """Write the desired state: path to text."""
        (ssh1, ssh2), (http1, http2) = (each.port for each in self.servers), self.http
        words = {"root": self.root, "tools": self.tools, "user": getpass.getuser(), "release": release, "mode": mode}
        words |= {"ssh1": ssh1, "ssh2": ssh2, "http1": http1, "http2": http2}
        found = sorted(path for path in (HERE / "fleet").rglob("*") if path.is_file())
        return {str(path.relative_to(HERE / "fleet")): Template(path.read_text()).substitute(words) for path in found}

    def commit(self, release: str = "one", mode: str = "good", **files: str) -> str:
        """Commit a desired state on top of the newest one."""
        return self.push(self.files(release, mode) | files)

    def push(self, files: dict[str, str], *, rewrite: bool = False) -> str:
        """Commit files; `rewrite` forgets the history before."""
        parents = [self.head] if self.head and not rewrite else []
        tree = self.repo.files({path: text.encode() for path, text in files.items()})
        self.head = self.repo.commit(tree, *parents, message=f"change of {len(files)} files")
        return self.head

    def folder(self, **wanted: str) -> Path:
        """Write a desired state into a folder, as a clone of the repository would hold it."""
        target = self.root / "checkout"
        for path, text in self.files(**wanted).items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_text(text)
        return target

    # ------------------------------------------------------------ what is

    def page(self, name: str) -> str:
        """Return a page of the daemon: its code and its text; nothing where nobody answers."""
        try:
            found = httpx.get(f"http://127.0.0.1:{self.web}/{name}", trust_env=False)
        except httpx.TransportError:
            return ""
        return f"{found.status_code} {found.text}"

    def ledger(self) -> list[str]:
        """What the schema tool did."""
        file = self.root / "ledger"
        return file.read_text().splitlines() if file.exists() else []

    def schema(self) -> str:
        """The head, and the tables that migrations made."""
        with closing(sqlite3.connect(self.database)) as connection:
            (head,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            tables = connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'made_by_%' ORDER BY name")
            return " ".join([head, *(name for (name,) in tables)])

    def links(self) -> list[str]:
        """The release that each host's environment link leads to."""
        return [(self.root / host / "current").readlink().name for host in HOSTS]

    def run_unit(self, host: str, verb: str = "start") -> None:
        """Start or stop a host's service by hand."""
        config = self.root / host / "supervisord.conf"
        subprocess.run([self.tools / "supervisorctl", "-c", config, verb, "demo"], check=True)

    def close(self) -> None:
        """End what was started on the hosts."""
        self.hold.unlink(missing_ok=True)
        for pid in self.root.glob("*/demo.pid"):
            with suppress(ProcessLookupError):
                os.kill(int(pid.read_text()), signal.SIGKILL)

    # ------------------------------------------------------------ how it is made

    def _settings(self) -> None:
        self.config.write_text(f"""\
state_dir = "{self.state}"
[source]
url = "file://{self.root}/fleet.git"
poll_s = 1
jitter_s = 0
[ssh]
keys = ["{self.root}/key"]
known_hosts = "{self.known_hosts}"
[sweep]
interval_s = 2
[web]
listen = "127.0.0.1:{self.web}"
""")

    def _pin(self) -> None:
        self.known_hosts.write_text("".join(server.known_hosts.read_text() for server in self.servers))
        shutil.copy(self.servers[0].client_key, self.root / "key")

    def _database(self) -> None:
        with closing(sqlite3.connect(self.database)) as connection:
            connection.executescript("""\
                CREATE TABLE alembic_version (version_num TEXT);
                INSERT INTO alembic_version VALUES ('d1');
                CREATE TABLE things (name TEXT);
                INSERT INTO things VALUES ('first'), ('second');
                """)

    def _host(self, host: str, port: int) -> None:
        """Make a host that runs release one, as somebody left it before there was a daemon."""
        folder = self.root / host
        env = folder / "envs/one"
        info = env / "lib/python3/site-packages/demo-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
        (folder / "current").symlink_to(env)
        values = {"release": "one", "port": port, "mode": "good", "password": TOKEN}
        (folder / "demo.conf").write_text("".join(f"{key} = {value}\n" for key, value in values.items()))
        (folder / "demo.conf").chmod(0o640)
        (folder / "supervisord.conf").touch()
        self.run_unit(host)
