"""Secrets reach the files and requests that need them, and nothing else ever shows them."""

from __future__ import annotations

import json
import re
import threading
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import httpx
import pygit2
import pytest

from tests.integration.daemon.conftest import DATABASE
from tests.integration.daemon.daemon import Daemon, cli
from tests.integration.daemon.site import HOSTS, TOKEN, Site
from tests.support.mariadb import PASSWORD, shared

pytestmark = [pytest.mark.integration, pytest.mark.daemon]

SECRETS = (TOKEN, PASSWORD)
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
        f'main: {{url: "sqlite:///{site.database}"}}': f"main: {{url: {server.url(DATABASE)}, password: {{credential: db}}}}",
        "files/demo.conf}]": f"files/demo.conf}}, {cnf}]",
        "token: {file": "database: {credential: db}\n      token: {file",
        "vars: {mode: good}": f'vars: {{mode: good, db_port: "{server.port}", db_name: {DATABASE}}}',
        f"[{site.tools}/demo-manage,": f"[{site.tools}/demo-manage-mariadb,",
        f"{site.root}/demo.db, {site.root}/ledger, {site.root}/hold": f'"{site.root}/{{host}}/my.cnf", {site.root}/ledger',
    }.items():
        assert old in fleet, old
        fleet = fleet.replace(old, new)
    return files | {"fleet.yaml": fleet, "files/my.cnf": MY_CNF}


def credentials(site: Site) -> dict[str, str]:
    """Put the password where LoadCredential= of systemd would, and say in the environment where that is."""
    folder = site.root / "credentials"
    folder.mkdir(exist_ok=True)
    (folder / "db").touch(0o600)
    (folder / "db").write_text(PASSWORD)
    return {"CREDENTIALS_DIRECTORY": str(folder)}


def guises(secret: str) -> Iterator[bytes]:
    """Say how a secret looks when somebody has packed it."""
    yield secret.encode()
    yield quote(secret, safe="").encode()
    yield json.dumps(secret)[1:-1].encode()
    yield secret.encode().hex().encode()
    for before in range(3):
        whole = b64encode(b"x" * before + secret.encode())
        yield whole[4 * bool(before) : -4]


def shows(content: bytes) -> bool:
    return any(guise in content for secret in SECRETS for guise in guises(secret))


@contextmanager
def watched() -> Iterator[set[bytes]]:
    """Look at the command lines and environments of all processes, again and again, as `ps` does."""
    seen: set[bytes] = set()
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.03):
            for place in ("cmdline", "environ"):
                for path in Path("/proc").glob(f"[0-9]*/{place}"):
                    with suppress(OSError):
                        seen.add(path.read_bytes())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def showing(places: Iterator[Path]) -> list[Path]:
    """Name the files in which a secret stands, objects of git unpacked."""
    return [path for path in places if path.is_file() and shows(_unpacked(path.read_bytes()))]


def _unpacked(content: bytes) -> bytes:
    with suppress(zlib.error):
        return zlib.decompress(content)
    return content


def objects(site: Site) -> Iterator[bytes]:
    """Return whatever the mirror holds, out of its packs too."""
    mirror = pygit2.Repository(site.state / "source.git")
    for oid in mirror:
        yield mirror[oid].read_raw()


def told(site: Site, daemon: Daemon) -> Iterator[str]:
    """Return all that the daemon says to people and machines, and what it keeps."""
    env = credentials(site)
    for words in (("status",), ("why", "demo"), ("plan",), ("observe",), ("diff",), ("events",), ("backups",)):
        yield cli(site, *words, **env).text
        yield cli(site, *words, "-o", "json", **env).text
    yield cli(site, "history", "-n", "0", "-o", "json").text
    yield daemon.log
    for page in ("metrics", "readyz", "livez"):
        yield httpx.get(f"http://127.0.0.1:{site.web}/{page}", trust_env=False).text


@pytest.mark.usefixtures("database")
def test_no_secret_shows_anywhere_on_a_way_forth_and_back(site: Site, start: Callable[..., Daemon]) -> None:
    with watched() as commands:
        on_mariadb(site, "one")
        daemon = start(**credentials(site))
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
    assert re.search(
        r"^Max core file size +0 +0 ", Path(f"/proc/{daemon.process.pid}/limits").read_text(), re.MULTILINE
    )
    assert [line for line in commands if b"reconciler" in line and str(site.root).encode() in line]
    shown = [line for line in commands if shows(line)]
    assert not shown, shown

    kept = showing(site.root.glob("*/state/saved/**/*"))
    assert kept, "what was configured before is kept to go back to"
    for host in HOSTS:
        assert (site.root / host / "state").stat().st_mode & 0o077 == 0
    own = [site.root / host / "demo.conf" for host in HOSTS]
    assert set(showing(site.root.rglob("*"))) == {*own, *kept, site.token, site.root / "credentials" / "db"}
    assert [text for text in told(site, daemon) if not text or shows(text.encode())] == []
    mirrored = list(objects(site))
    assert any(b"fast-forward" in content for content in mirrored)
    assert [content for content in mirrored if shows(content)] == []


@pytest.mark.usefixtures("database")
def test_a_tool_that_shows_its_secrets_is_not_repeated(site: Site, start: Callable[..., Daemon]) -> None:
    """The tool was given none, and this daemon has written none: both stand in files of the host since before."""
    on_mariadb(site, "one")
    daemon = start(**credentials(site))
    daemon.reached("InSync")
    (site.root / "alpha" / "my.cnf").write_text(f'user = cloud\npassword = "{PASSWORD}"\n')
    files = files_on_mariadb(site, "two")
    tool = f"[{site.tools}/demo-manage-mariadb,"
    assert tool in files["fleet.yaml"]
    said = f"[{site.tools}/demo-manage-chatty, {site.root}/alpha/demo.conf,"
    site.push(files | {"fleet.yaml": files["fleet.yaml"].replace(tool, said)})
    daemon.reached("Halted")
    assert "the tool said all" in cli(site, "history", "-n", "0", "-o", "json").text
    assert [text for text in told(site, daemon) if shows(text.encode())] == []
    assert showing(site.state.rglob("*")) == []
