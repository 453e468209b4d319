"""A Keystone fleet for one journey: two hosts, a MariaDB and the product's own daemon, seen with eyes of our own."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from pymysql.connections import Connection

from reconciler import app
from reconciler.catalog import load_catalog
from reconciler.domain.observation import Known
from reconciler.domain.run import Run
from reconciler.domain.schema import Identification
from reconciler.domain.verdict import Report, State, Verdict
from reconciler.planning.identify import identify
from reconciler.settings import read_settings
from reconciler.testdrive import processes
from reconciler.testdrive.setup import repository_of, set_up
from reconciler.testdrive.site import Site
from tests.openstack import eyes
from tests.openstack.eyes import Rows

SERVICE = "keystone"
JOURNEY_S = 600.0
"""How long the longest journey may take on a busy machine; one that takes longer is stuck."""

Hook = Callable[[Report], Awaitable[None]]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Leg:
    """A run that has ended, and what the database showed then: to our own SQL, and to the product."""

    start: str
    goal: str
    direction: str
    ended: str
    seconds: float
    heads: frozenset[str]
    found: Identification

    def __str__(self) -> str:
        return f"{self.direction:7} {self.start:>6} to {self.goal:6} {self.ended:10} {self.seconds:5.1f} s"


@dataclass(slots=True)
class Fleet:
    """The site with its daemon. `at_pass` is called after every pass; until it returns, nothing new is started."""

    site: Site
    app: app.App
    say: Say
    legs: dict[str, Leg] = field(default_factory=dict)
    report: Report | None = None
    wanted: str = ""
    service: str = SERVICE
    at_pass: Hook | None = None
    loop: asyncio.Task[None] | None = None

    # ------------------------------------------------------------ what an operator does

    def commit(self, **changes: str) -> str:
        """Commit other values of keys of the service."""
        file = f"services/{self.service}.yaml"
        text = repository_of(self.site).read(file)
        for key, value in changes.items():
            text, count = re.subn(rf"(?m)^(  {key}:) .*$", rf"\g<1> {value}", text)
            assert count == 1, f"{key} is there {count} times"
        self.wanted = repository_of(self.site).commit({file: text}, f"{self.service}: {changes}")
        return self.wanted

    def revert(self, commit: str) -> None:
        """Commit the opposite of a commit."""
        self.wanted = repository_of(self.site).revert(commit)

    async def until(self, state: State, reason: str = "") -> Verdict:
        """Wait until the newest commit has led to this verdict, with nothing in hand."""
        deadline = time.monotonic() + JOURNEY_S
        while time.monotonic() < deadline:
            assert self.loop is not None
            if self.loop.done():
                self.loop.result()
            verdict = self._verdict()
            if verdict and verdict.state is state and verdict.reason == (reason or verdict.reason):
                return verdict
            if verdict and verdict.state in {State.HALTED, State.BLOCKED}:
                break
            await asyncio.sleep(0.1)
        raise AssertionError(f"stuck at {self._verdict()}")

    def _verdict(self) -> Verdict | None:
        report = self.report
        if report is None or report.revision != self.wanted or not report.decisions:
            return None
        return None if self.app.daemon.memory.executor.tasks else report.decisions[0].verdict

    # ------------------------------------------------------------ what is seen

    async def heard(self, report: Report) -> None:
        """Take in a report; a run that has ended is looked at before anything else can begin."""
        for run in report.history.runs:
            if run.ended and run.id not in self.legs:
                self.legs[run.id] = await self._leg(run)
                self.say(f"  {self.legs[run.id]}")
        if self.at_pass is not None:
            await self.at_pass(report)
        self.report = report

    async def _leg(self, run: Run) -> Leg:
        route = run.plan.services[0]
        assert run.ended_at is not None
        seconds = (run.ended_at - run.started_at).total_seconds()
        heads = await asyncio.to_thread(self.heads)
        return Leg(route.start, route.goal, run.plan.direction, run.ended, seconds, heads, await self.identified())

    def moves(self) -> list[tuple[str, str]]:
        """List from where to where each run went."""
        return [(leg.start, leg.goal) for leg in self.legs.values()]

    async def identified(self) -> Identification:
        """Let the product say where the database stands."""
        marker = await self.app.ports.databases.marker(self.site.database, self.site.secret("database").read_text())
        assert isinstance(marker, Known), marker
        return identify(load_catalog().service(SERVICE), "main", marker.value)

    def connect(self) -> Connection:
        """Connect as the server's administrator."""
        return eyes.connect(self.site.server, "keystone")

    def heads(self) -> frozenset[str]:
        """Read alembic's heads."""
        return eyes.heads(self.site.server, "keystone")

    def rows(self) -> Rows:
        """Read every table: how it is made, and its rows in an order of their own."""
        with self.connect() as connection, connection.cursor() as cursor:
            return eyes.tables(cursor)

    def hosts(self) -> Mapping[str, object]:
        """Tell of each host which environment is in use, which one runs, and what its configuration files hold."""
        return {
            host.name: (
                host.link.readlink(),
                eyes.running(host),
                {path.name: path.read_bytes() for path in host.etc.iterdir() if path.is_file()},
            )
            for host in self.site.hosts
        }

    def running(self) -> dict[str, str]:
        """Tell of each host which release runs."""
        return {host.name: eyes.running(host) for host in self.site.hosts}

    async def tokens(self) -> list[bool]:
        """Ask each host at once for a token."""
        password = self.site.secret("admin").read_text()
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            return list(await asyncio.gather(*(eyes.token(client, host, password) for host in self.site.hosts)))


@asynccontextmanager
async def fleet_at_yoga(site: Site, say: Say) -> AsyncIterator[Fleet]:
    """Bring a fleet up and run the daemon on it; whoever gave the folder stops what was started there."""
    processes.mark(site.root)
    began = time.monotonic()
    await set_up(site, lambda text: None)
    fleet = Fleet(site, app.open_daemon(read_settings(site.settings)), say, wanted=_head(site))
    say(f"  two hosts at yoga: {time.monotonic() - began:.1f} s")
    async with running(fleet):
        await fleet.until(State.IN_SYNC)
        yield fleet


@asynccontextmanager
async def running(fleet: Fleet) -> AsyncIterator[None]:
    daemon = fleet.app.daemon
    publish = daemon.publish

    async def heard(report: Report) -> None:
        await publish(report)
        await fleet.heard(report)

    daemon.publish = heard
    fleet.loop = asyncio.create_task(daemon.run())
    try:
        yield
    finally:
        daemon.stop()
        await asyncio.gather(fleet.loop, return_exceptions=True)
        await fleet.app.close()


def _head(site: Site) -> str:
    return (site.root / "desired.git/refs/heads/main").read_text().strip()
