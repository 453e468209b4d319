"""A stage for whole journeys: the real pass on a fleet in memory, in virtual time."""

from __future__ import annotations

from dataclasses import replace

from reconciler.catalog import load_catalog
from reconciler.domain.desired import ConfigFile, Desired
from reconciler.domain.revision import Revision
from reconciler.domain.verdict import Report, State, Verdict
from reconciler.execution.executor import Executor
from reconciler.execution.memory import Memory, Read
from reconciler.ports import Ports
from reconciler.reconcile import reconcile
from tests.fakes.clock import VirtualClock, settle
from tests.fakes.fleet import Fleet
from tests.fakes.hosts import Faults
from tests.fakes.journal import MemoryJournal, Store
from tests.fakes.source import MemorySource
from tests.support.sample import DESIRED, desired

PASSES = 400
"""No journey here needs more passes; one that does is stuck."""


class NoSecrets:
    def resolve(self, ref: object) -> str:
        return "s3cret"

    def redact(self, text: str) -> str:
        return text


class Stage:
    """One fleet, one repository, one store; a daemon that can be killed and started again."""

    def __init__(self, faults: Faults | None = None) -> None:
        self.clock = VirtualClock()
        self.fleet = Fleet(self.clock, ("ks1", "ks2", "ks3"), faults=faults)
        self.source = MemorySource()
        self.store = Store.empty()
        self.wanted: dict[str, Desired] = {}
        self.start()
        for machine in self.fleet.machines.values():
            machine.stamp = self.stamp()

    def stamp(self) -> str:
        from reconciler.planning.build import build_for

        build = build_for(DESIRED.services["keystone"], DESIRED.hosts["ks1"], "yoga", "21.0.1")
        assert build is not None
        return build.config_digest

    def start(self) -> None:
        """Start a daemon on the store, as after a kill."""
        self.journal = MemoryJournal(self.clock, self.store)
        ports = Ports(
            hosts=self.fleet.hosts,
            databases=self.fleet,
            http=self.fleet,
            secrets=NoSecrets(),
            source=self.source,
            journal=self.journal,
            clock=self.clock,
        )
        self.memory = Memory(ports, self.read, Executor(ports))

    def read(self, revision: Revision) -> Read:
        return Read(revision.commit, self.wanted[revision.commit], load_catalog())

    def want(self, message: str = "change", **changes: object) -> str:
        """Commit a desired state that differs from the sample in the Keystone service."""
        commit = self.source.commit({"fleet.yaml": str(len(self.wanted)).encode()}, message=message)
        accepts = changes.pop("accepts", ())
        self.wanted[commit] = replace(desired(**changes), accepts=accepts)
        return commit

    async def pass_once(self) -> Report:
        self.memory.remember()
        self.memory.source = await self.source.latest(self.memory.history.accepted)
        return await reconcile(self.memory)

    async def until(self, *states: State, reason: str = "") -> Verdict:
        """Pass, and let time go by, until the group stands so."""
        for _ in range(PASSES):
            report = await self.pass_once()
            verdict = report.decisions[0].verdict if report.decisions else None
            quiet = not self.memory.executor.tasks
            if verdict and verdict.state in states and verdict.reason == (reason or verdict.reason) and quiet:
                return verdict
            await settle()
            await self.clock.advance(1.0)
        raise AssertionError(f"stuck: {verdict}; {self.fleet.ledger[-5:]}")

    async def step(self) -> None:
        """Pass once and let a second go by."""
        await self.pass_once()
        await settle()
        await self.clock.advance(1.0)

    async def kill(self) -> None:
        """Kill the daemon: what it held in memory is gone, what runs on hosts goes on."""
        await self.memory.stop()

    def rows(self) -> list[str]:
        return self.fleet.data.rows

    def running(self) -> dict[str, str]:
        return {name: machine.running.split("/")[-1] for name, machine in self.fleet.machines.items()}


BROKEN_CONFIG = {"*": (ConfigFile(path="/etc/keystone/keystone.conf", template="[DEFAULT]\nbroken\n"),)}
