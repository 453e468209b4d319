"""The schema commands of real Keystone, on databases of their own: copies of what other releases left."""

from __future__ import annotations

import gzip
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from reconciler.adapters.databases import SqlDatabases
from reconciler.catalog import load_catalog
from reconciler.domain.desired import Database
from reconciler.domain.observation import Known
from reconciler.domain.schema import Identification
from reconciler.planning.identify import identify
from reconciler.testdrive import keystone, mariadb
from tests.openstack.eyes import Rows, connect, tables

DUMPS = Path(__file__).parent / "dumps"
RELEASES = tuple(path.name.removesuffix(".sql.gz") for path in sorted(DUMPS.glob("*.sql.gz")))
PASSWORD = "bench"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended; `text` is all that it said."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Bench:
    """A MariaDB for databases to try things on, and the tools of releases."""

    folder: Path
    store: keystone.Store
    server: mariadb.Server

    def database(self, name: str, dump: str) -> Copy:
        """Load what real Keystone of release `dump` left into a new database."""
        account = mariadb.Account(database=name, name=name, password=PASSWORD)
        mariadb.create_database(self.server, account)
        text = gzip.decompress((DUMPS / f"{dump}.sql.gz").read_bytes())
        login = ("--host=127.0.0.1", f"--port={self.server.port}", f"--user={name}", f"--password={PASSWORD}")
        subprocess.run(("mariadb", "--no-defaults", *login, name), input=text, check=True)
        return Copy(self, account)

    def tool(self, release: str) -> Path:
        """Make the environment of a release, the first time it is asked for."""
        folder = self.folder / release
        package = keystone.PACKAGES[release]
        if not folder.exists():
            subprocess.run((sys.executable, "-m", "venv", "--without-pip", str(folder)), check=True)
            pip = (self.store.python(package.era), *keystone.PIP, "--python", str(folder), "install")
            source = ("--no-index", "--no-deps", "--find-links", str(self.store.wheels))
            what = (f"keystone=={package.version}", f"keystone-dependencies=={package.version}")
            subprocess.run((*pip, *source, *what), check=True)
        return folder / "bin/keystone-manage"


@dataclass(frozen=True, slots=True)
class Copy:
    """A database with an account of its own."""

    bench: Bench
    account: mariadb.Account

    def run(self, release: str, *words: str) -> Ended:
        """Run `keystone-manage` of a release on it."""
        config = self.bench.folder / f"{self.account.name}.conf"
        connection = mariadb.url(self.bench.server, self.account)
        config.write_text(f"[database]\nconnection = {connection}\nmax_retries = 1\nretry_interval = 1\n")
        argv = (str(self.bench.tool(release)), "--config-file", str(config), *words)
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return Ended(done.returncode, done.stdout + done.stderr)

    async def found(self) -> Identification:
        """Let the product say where it stands."""
        url = f"mysql+pymysql://{self.account.name}@127.0.0.1:{self.bench.server.port}/{self.account.database}"
        marker = await SqlDatabases().marker(Database(name="main", url=url), PASSWORD)
        assert isinstance(marker, Known), marker
        return identify(load_catalog().service("keystone"), "main", marker.value)

    def rows(self) -> Rows:
        """Read every table."""
        with connect(self.bench.server, self.account.database) as connection, connection.cursor() as cursor:
            return tables(cursor)
