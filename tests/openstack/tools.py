"""The schema commands of real services, on databases of their own: copies of what other releases left."""

from __future__ import annotations

import gzip
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from reconciler.adapters.databases import SqlDatabases
from reconciler.catalog import load_catalog
from reconciler.domain.desired import Database
from reconciler.domain.observation import Known
from reconciler.domain.row_probe import RowProbe, Rows
from reconciler.domain.schema import Identification
from reconciler.planning.identify import identify
from reconciler.testdrive import keystone, mariadb
from tests.openstack.eras import PACKAGES, TOOLS, provide
from tests.openstack.eyes import Rows as Tables
from tests.openstack.eyes import connect, tables

DUMPS = Path(__file__).parent / "dumps"
RELEASES = tuple(path.name.removesuffix(".sql.gz") for path in sorted((DUMPS / "keystone").glob("*.sql.gz")))
PASSWORD = "bench"

CONFIGS = {
    "keystone": "[database]\nconnection = {url}\nmax_retries = 1\nretry_interval = 1\n",
    "cinder": "[DEFAULT]\ntransport_url = fake:/\nrpc_response_timeout = 2\n[database]\nconnection = {url}\n",
    "placement": "[placement_database]\nconnection = {url}\n",
}
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended; `text` is all that it said, without colours."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Bench:
    """A MariaDB for databases to try things on, and the tools of releases."""

    folder: Path
    store: keystone.Store
    server: mariadb.Server

    def database(self, name: str, dump: str, service: str = "keystone") -> Copy:
        """Load what a real release `dump` of a service left into a new database."""
        account = mariadb.Account(database=name, name=name, password=PASSWORD)
        mariadb.create_database(self.server, account)
        text = gzip.decompress((DUMPS / service / f"{dump}.sql.gz").read_bytes())
        login = ("--host=127.0.0.1", f"--port={self.server.port}", f"--user={name}", f"--password={PASSWORD}")
        subprocess.run(("mariadb", "--no-defaults", *login, name), input=text, check=True)
        copy = Copy(self, account, service)
        copy.sql(
            f"ALTER DATABASE `{name}` CHARACTER SET utf8mb3"
        )  # as the tables in it: foreign keys want one and the same
        return copy

    def tool(self, service: str, release: str) -> Path:
        """Make the environment of a release, the first time it is asked for."""
        folder = self.folder / f"{service}-{release}"
        package = PACKAGES[service][release]
        if not folder.exists():
            provide(self.store, package)
            python = self.store.python(package.era)
            subprocess.run((python, "-m", "venv", "--without-pip", str(folder)), check=True)
            pip = (python, *keystone.PIP, "--python", str(folder), "install")
            source = ("--no-index", "--no-deps", "--find-links", str(self.store.wheels))
            subprocess.run((*pip, *source, *package.requirements), check=True)
        return folder / "bin" / TOOLS[service]


@dataclass(frozen=True, slots=True)
class Copy:
    """A database with an account of its own."""

    bench: Bench
    account: mariadb.Account
    service: str

    def run(self, release: str, *words: str) -> Ended:
        """Run the service's tool of a release on it."""
        config = self.bench.folder / f"{self.account.name}.conf"
        config.write_text(CONFIGS[self.service].format(url=mariadb.url(self.bench.server, self.account)))
        argv = (str(self.bench.tool(self.service, release)), "--config-file", str(config), *words)
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return Ended(done.returncode, _COLOUR.sub("", done.stdout + done.stderr))

    @property
    def database(self) -> Database:
        """Describe it to the product."""
        url = f"mysql+pymysql://{self.account.name}@127.0.0.1:{self.bench.server.port}/{self.account.database}"
        return Database(name="main", url=url)

    async def found(self) -> Identification:
        """Let the product say where it stands."""
        marker = await SqlDatabases().marker(self.database, PASSWORD)
        assert isinstance(marker, Known), marker
        return identify(load_catalog().service(self.service), "main", marker.value)

    async def in_the_way(self, probe: RowProbe) -> Rows:
        """Let the product ask for the rows of a gate."""
        seen = await SqlDatabases().rows(self.database, PASSWORD, probe)
        assert isinstance(seen, Known), seen
        return seen.value

    def sql(self, *statements: str) -> None:
        """Change something by hand."""
        with connect(self.bench.server, self.account.database) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def rows(self) -> Tables:
        """Read every table."""
        with connect(self.bench.server, self.account.database) as connection, connection.cursor() as cursor:
            return tables(cursor)
