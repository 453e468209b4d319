"""Real Keystone for real journeys: a store of its packages for the session, and a fleet of its own for each test."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.testdrive import keystone, mariadb, processes
from reconciler.testdrive.site import cache, new_site
from tests.openstack.fleet import Fleet, Say, fleet_at_yoga
from tests.openstack.tools import Bench
from tests.support.debian import program
from tests.support.net import free_port

RELEASES = ("yoga", "2023.1", "2024.1", "2025.1", "2026.1", "2026.2")


NEAR = timedelta(minutes=5)
LINES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Say:
    """Note a line for the summary; what took how long is told, and never asserted."""
    return pytestconfig.stash.setdefault(LINES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell what was measured."""
    lines = config.stash.get(LINES, [])
    if lines:
        terminalreporter.section("OpenStack, measured")
    for line in lines:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def store(say: Say) -> keystone.Store:
    """Download what Keystone is made of, and install servers that the machine lacks, without starting them."""
    program("sshd", "openssh-server")
    program("mariadbd", "mariadb-server")
    began = time.monotonic()
    store = keystone.Store(cache() / str(sys.implementation.cache_tag))
    keystone.fill(store, RELEASES, lambda text: None)
    say(f"packages of {len(RELEASES)} releases: {time.monotonic() - began:.1f} s")
    return store


@pytest.fixture(scope="session")
def bench(store: keystone.Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A MariaDB for copies of databases, and the tools of releases."""
    folder = tmp_path_factory.mktemp("bench")
    server = mariadb.Server(folder=folder / "mariadb", port=free_port())
    process = mariadb.start(server)
    yield Bench(folder, store, server)
    mariadb.stop(process)


@pytest.fixture
def root(say: Say) -> Iterator[Path]:
    """Give a folder with a short name, for the sockets in it; what was started there is stopped."""
    path = Path(tempfile.mkdtemp(prefix="openstack-"))
    yield path
    began = time.monotonic()
    processes.stop(path)
    stopped = time.monotonic()
    processes.remove(path)
    say(f"  stopped: {stopped - began:.1f} s, removed: {time.monotonic() - stopped:.1f} s")


@pytest.fixture
async def same_day() -> None:
    """Wait for a midnight that is near: Keystone notes the day of a login, which counts as a write since the seal."""
    now = datetime.now(UTC)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=5, microsecond=0)
    if midnight - now < NEAR:
        await asyncio.sleep((midnight - now).total_seconds())


@pytest.fixture
async def fleet(
    store: keystone.Store, same_day: None, root: Path, say: Say, request: pytest.FixtureRequest
) -> AsyncIterator[Fleet]:
    """Two hosts that serve Keystone yoga, and a daemon that finds nothing to do."""
    del store, same_day
    say(f"{request.node.name}:")
    site = new_site(root, "mariadb")
    async with fleet_at_yoga(replace(site, hosts=site.hosts[:2]), say) as fleet:
        yield fleet
