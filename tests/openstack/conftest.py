"""Real Keystone for real journeys: a store of its packages for the session, and a fleet of its own for each test."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest

from reconciler.testdrive import keystone, mariadb, processes
from reconciler.testdrive.site import cache, new_site
from tests.openstack.fleet import Fleet, fleet_at_yoga
from tests.openstack.tools import Bench
from tests.support.debian import program
from tests.support.net import free_port

RELEASES = ("yoga", "2023.1", "2024.1", "2025.1", "2026.1", "2026.2")


@pytest.fixture(scope="session")
def store() -> keystone.Store:
    """Download what Keystone is made of, and install servers that the machine lacks, without starting them."""
    program("sshd", "openssh-server")
    program("mariadbd", "mariadb-server")
    began = time.monotonic()
    store = keystone.Store(cache() / str(sys.implementation.cache_tag))
    keystone.fill(store, RELEASES)
    print(f"\npackages of {len(RELEASES)} releases after {time.monotonic() - began:.1f} s")
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
def root() -> Iterator[Path]:
    """Give a folder with a short name, for the sockets in it; what was started there is stopped."""
    path = Path(tempfile.mkdtemp(prefix="openstack-"))
    yield path
    processes.stop(path)
    processes.remove(path)


@pytest.fixture
async def fleet(store: keystone.Store, root: Path) -> AsyncIterator[Fleet]:
    """Three hosts that serve Keystone yoga, and a daemon that finds nothing to do."""
    del store
    async with fleet_at_yoga(new_site(root, "mariadb")) as fleet:
        yield fleet


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count a skipped test as failed: what was not tried was not shown."""
    report = yield
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped, which counts as failed here: {report.longrepr}"
    return report
