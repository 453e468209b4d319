"""Two hosts for all tests of this folder, and a site of its own for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.daemon.daemon import Daemon
from tests.integration.daemon.site import HERE, Site, made_tools, two_servers
from tests.support.mariadb import shared
from tests.support.sshd import Sshd

DATABASE = "daemon_tests"
SCRATCH = f"{DATABASE}_rehearsal"


def fresh_database() -> None:
    """Make the database anew, as release one left it."""
    server = shared()
    server.run(f"DROP DATABASE IF EXISTS {DATABASE}", f"CREATE DATABASE {DATABASE}")
    server.run(
        "CREATE TABLE alembic_version (version_num VARCHAR(32))",
        "INSERT INTO alembic_version VALUES ('d1')",
        "CREATE TABLE things (name VARCHAR(32))",
        "INSERT INTO things VALUES ('first')",
        dbname=DATABASE,
    )


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs that stand for others, executable."""
    return made_tools(tmp_path_factory.mktemp("tools"), HERE / "tools")


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sshd, Sshd]]:
    """Two hosts that the same key opens."""
    first, second = two_servers(tmp_path_factory.mktemp("sshd1"), tmp_path_factory.mktemp("sshd2"))
    yield first, second
    first.stop()
    second.stop()


@pytest.fixture
def site(tmp_path: Path, tools: Path, servers: tuple[Sshd, Sshd]) -> Iterator[Site]:
    """A fleet at release one, with a first commit that says so."""
    made = Site(tmp_path, tools, servers)
    made.commit("one")
    yield made
    made.close()


@pytest.fixture
def start(site: Site) -> Iterator[Callable[..., Daemon]]:
    """Start daemons of the site; what still runs at the end is killed."""
    started: list[Daemon] = []

    def begin(*words: str, **env: str) -> Daemon:
        started.append(Daemon(site, *words, **env))
        return started[-1]

    yield begin
    for daemon in started:
        daemon.kill()


@pytest.fixture
def daemon(start: Callable[[], Daemon]) -> Daemon:
    """A running daemon whose fleet is in sync at release one."""
    running = start()
    running.reached("InSync")
    return running


@pytest.fixture
def database() -> Iterator[None]:
    """A database on MariaDB at release one; scratch ones go with it."""
    fresh_database()
    yield
    shared().run(f"DROP DATABASE {DATABASE}", f"DROP DATABASE IF EXISTS {SCRATCH}")
