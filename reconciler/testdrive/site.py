"""Where everything of one testdrive lies, and the desired state that describes it."""

from __future__ import annotations

import os
import random
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from reconciler.domain.desired import Database, SecretRef
from reconciler.testdrive import keystone, mariadb, sshd

TEMPLATES = Path(__file__).parent / "desired-state"
HOSTS = ("ks1", "ks2", "ks3")
BEGIN, STOP, GOAL, BEYOND = "yoga", "2023.1", "2026.1", "2026.2"
RELEASES = (BEGIN, STOP, GOAL, BEYOND)
"""What can be installed: the route of the testdrive, and one release more to try by oneself."""


def cache() -> Path:
    """Name the folder for downloads that outlive a testdrive."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "reconciler/testdrive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One host: the folder that is all it has, and its two ports on loopback."""

    name: str
    folder: Path
    ssh_port: int
    api_port: int

    @property
    def link(self) -> Path:
        """Name the link to the environment in use."""
        return self.folder / "keystone/current"

    @property
    def etc(self) -> Path:
        """Name the folder of Keystone's configuration."""
        return self.folder / "etc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One testdrive: its folder, hosts, kind of database (`sqlite` or `mariadb`) and ports."""

    root: Path
    store: keystone.Store
    engine: str
    hosts: tuple[Host, ...]
    database_port: int
    web_port: int

    @property
    def settings(self) -> Path:
        """Name the daemon's settings file."""
        return self.root / "reconciler.toml"

    @property
    def state(self) -> Path:
        """Name the daemon's own folder."""
        return self.root / "daemon"

    @property
    def python(self) -> Path:
        """Name the interpreter that makes environments on hosts."""
        return self.root / "bin/python3"

    @property
    def journal_url(self) -> str:
        """Give the address of the daemon's journal."""
        return f"sqlite:///{self.state}/journal.sqlite"

    @property
    def server(self) -> mariadb.Server:
        """Describe the private MariaDB server."""
        return mariadb.Server(folder=self.root / "mariadb", port=self.database_port)

    @property
    def database(self) -> Database:
        """Describe Keystone's database as the daemon reaches it."""
        if self.engine == "sqlite":
            return Database(name="main", url=f"sqlite:///{self.root}/keystone.db")
        url = f"mysql+pymysql://keystone@127.0.0.1:{self.database_port}/keystone"
        return Database(name="main", url=url, password=SecretRef("file", str(self.secret("database"))))

    def secret(self, name: str) -> Path:
        """Name the file of a secret."""
        return self.root / "secrets" / name


def new_site(root: Path, engine: str) -> Site:
    """Lay out a testdrive in `root`, on ports that are free."""
    ports = _free_ports(2 * len(HOSTS) + 2)
    hosts = tuple(Host(name=n, folder=root / n, ssh_port=ports.pop(), api_port=ports.pop()) for n in HOSTS)
    store = keystone.Store(cache() / str(sys.implementation.cache_tag))
    return Site(root=root, store=store, engine=engine, hosts=hosts, database_port=ports.pop(), web_port=ports.pop())


def desired_files(site: Site) -> Mapping[str, str]:
    """Write the desired state of a fleet at the first release: path to text, in the product's own form."""
    words = _words(site)
    paths = sorted(path for path in TEMPLATES.rglob("*") if path.is_file())
    return {str(path.relative_to(TEMPLATES)): Template(path.read_text()).substitute(words) for path in paths}


def settings_text(site: Site) -> str:
    """Write the daemon's settings."""
    return f"""\
state_dir = "{site.state}"

[source]
url = "{site.root}/desired.git"
poll_s = 1
jitter_s = 0

[ssh]
keys = ["{site.root}/secrets/ssh_key"]
known_hosts = "{site.root}/known_hosts"

[sweep]
interval_s = 10

[web]
listen = "127.0.0.1:{site.web_port}"
"""


def _host_line(host: Host) -> str:
    place = f"address: 127.0.0.1, port: {host.ssh_port}"
    return f'{host.name}: {{{place}, roles: [keystone], vars: {{api: "{host.api_port}"}}}}'


def _words(site: Site) -> dict[str, str]:
    url = site.database.url
    password = "" if site.engine == "sqlite" else f", password: {{file: {site.secret('database')}}}"
    return {
        "root": str(site.root),
        "hosts": "\n".join(_host_line(host) for host in site.hosts),
        "user": sshd.user(),
        "python": str(site.python),
        "server": keystone.SERVER,
        "wheels": str(site.store.wheels),
        "database": f'{{url: "{url}"{password}}}',
        "connection": _with_password(url) if password else url,
    }


def _with_password(url: str) -> str:
    """Write the address as Keystone wants it, its password a placeholder of the product."""
    return url.replace("keystone@", "keystone:{secret:database}@") + "?charset=utf8mb4"


def _free_ports(count: int) -> list[int]:
    """Find ports below those that the kernel gives to outgoing connections, so that a stopped server's stays free."""
    found: list[int] = []
    port = random.randrange(20000, 30000)  # noqa: S311 - two testdrives at once should not look in the same place
    while len(found) < count:
        port += 1
        with socket.socket() as probe:
            if _binds(probe, port):
                found.append(port)
    return found


def _binds(probe: socket.socket, port: int) -> bool:
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
