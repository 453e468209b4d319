"""Secrets reach the files and requests that need them, and nothing else ever shows them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests.integration.daemon.conftest import DATABASE
from tests.integration.daemon.daemon import Daemon, cli
from tests.integration.daemon.site import HOSTS, TOKEN, Site
from tests.support.mariadb import PASSWORD, shared

pytestmark = [pytest.mark.integration, pytest.mark.daemon]

SECRETS = [word.encode() for word in (TOKEN, PASSWORD, quote(PASSWORD, safe=""))]
MY_CNF = """\
[client]
host = 127.0.0.1
port = {db_port}
user = cloud
password = "{secret:database}"
[mariadb-client]
database = {db_name}
"""


def on_mariadb(site: Site, release: str) -> str:
    """Commit the desired state with the service's database on a MariaDB that wants a password."""
    return site.push(files_on_mariadb(site, release))


def files_on_mariadb(site: Site, release: str) -> dict[str, str]:
    """Write the desired state with the service's database on MariaDB."""
    server = shared()
    files = site.files(release)
    cnf = f'{{path: "{site.root}/{{host}}/my.cnf", source: files/my.cnf}}'
    fleet = files["fleet.yaml"]
    for old, new in {
        f'main: {{url: "sqlite:///{site.database}"}}': f"main: {{url: {server.url(DATABASE)}, password: {{env: DB}}}}",
        "files/demo.conf}]": f"files/demo.conf}}, {cnf}]",
        "token: {file": "database: {env: DB}\n      token: {file",
        "vars: {mode: good}": f'vars: {{mode: good, db_port: "{server.port}", db_name: {DATABASE}}}',
        f"[{site.tools}/demo-manage,": f"[{site.tools}/demo-manage-mariadb,",
        f"{site.root}/demo.db, {site.root}/ledger, {site.root}/hold": f'"{site.root}/{{host}}/my.cnf", {site.root}/ledger',
    }.items():
        assert old in fleet, old
        fleet = fleet.replace(old, new)
    return files | {"fleet.yaml": fleet, "files/my.cnf": MY_CNF}


@contextmanager
def watched() -> Iterator[set[bytes]]:
    """Look at the command lines of all processes, again and again, as `ps` does."""
    seen: set[bytes] = set()
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.03):
            for place in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(place.read_bytes())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def showing(places: Iterator[Path]) -> list[Path]:
    """Name the files in which a secret stands."""
    return [path for path in places if path.is_file() and any(word in path.read_bytes() for word in SECRETS)]


@pytest.mark.usefixtures("database")
def test_no_secret_shows_anywhere_on_a_way_forth_and_back(site: Site, start: Callable[..., Daemon]) -> None:
    with watched() as commands:
        on_mariadb(site, "one")
        daemon = start(DB=PASSWORD)
        daemon.reached("InSync")
        on_mariadb(site, "two")
        daemon.reached("InSync")
        for host in HOSTS:
            assert PASSWORD in (site.root / host / "my.cnf").read_text()
            assert TOKEN in (site.root / host / "demo.conf").read_text()
            assert (site.root / host / "my.cnf").stat().st_mode & 0o007 == 0
        on_mariadb(site, "one")
        daemon.reached("InSync")
    assert site.ledger() == ["end two"]
    # A dump may be over between two looks; the daemon is there for all of them.
    assert [line for line in commands if b"reconciler" in line and str(site.root).encode() in line]
    shown = [line for line in commands if any(word in line for word in SECRETS)]
    assert not shown, shown

    kept = showing(site.root.glob("*/state/saved/**/*"))
    assert kept, "what was configured before is kept to go back to"
    for host in HOSTS:
        assert (site.root / host / "state").stat().st_mode & 0o077 == 0
    own = [site.root / host / "demo.conf" for host in HOSTS]
    assert set(showing(site.root.rglob("*"))) == {*own, *kept, site.token}

    said = [cli(site, *words).text for words in (("status",), ("why", "demo"), ("plan",), ("observe",), ("diff",))]
    said += [cli(site, "history", "-n", "0", "-o", "json").text, daemon.log]
    said += [httpx.get(f"http://127.0.0.1:{site.web}/metrics", trust_env=False).text]
    for text in said:
        assert text
        assert not any(word in text.encode() for word in SECRETS)
