"""A stage for whole journeys: the real pass on a fleet in memory, in virtual time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.catalog import load_catalog
from reconciler.domain.chain import Break
from reconciler.domain.desired import BuildSpec, ConfigFile, Database, Desired, Service
from reconciler.domain.journal import Entry
from reconciler.domain.plan import Block
from reconciler.domain.probe import HttpProbe
from reconciler.domain.revision import Revision
from reconciler.domain.segment import whole
from reconciler.domain.verdict import Report, State, Verdict
from reconciler.execution.executor import Executor
from reconciler.execution.memory import Memory, Read
from reconciler.ports import Clock, Ports
from reconciler.reconcile import reconcile
from tests.fakes.clock import VirtualClock, settle
from tests.fakes.dns import MemoryDns
from tests.fakes.fleet import Fleet
from tests.fakes.hosts import Faults
from tests.fakes.journal import MemoryJournal, Store
from tests.fakes.metrics import MemoryMetrics
from tests.fakes.source import MemorySource
from tests.scenarios.laws import law_9_every_verdict_explains_itself
from tests.support.sample import DESIRED, KEYSTONE, desired

PASSES = 400
"""No journey here needs more passes; one that does is stuck."""


class NoSecrets:
    def resolve(self, ref: object) -> str:
        return "s3cret"

    def redact(self, text: str) -> str:
        return text


class Stage:
    """One fleet, one repository, one store; a daemon that can be killed and started again."""

    def __init__(
        self,
        faults: Faults | None = None,
        services: Mapping[str, Service] | None = None,
        new: Mapping[str, Sequence[str]] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or VirtualClock()
        self.catalog = load_catalog()
        self.services = services or {"keystone": KEYSTONE}
        self.fleet = Fleet(self.clock, ("ks1", "ks2", "ks3"), faults=faults, services=tuple(self.services), new=new)
        self.source = MemorySource()
        self.store = Store.empty()
        self.fleet.written = lambda: len(self.store.lines)
        self.wanted: dict[str, Desired | None] = {}
        self.metrics = MemoryMetrics(clock=self.clock)
        self.defective = False  # a defect of the daemon is what a test wants to see
        self.start()
        for name in self.services:
            for machine in self.fleet.sites[name].machines.values():
                machine.stamp = self.stamp(name)
                machine.ran = f"{machine.link} {machine.stamp}"

    def stamp(self, service: str = "keystone") -> str:
        from reconciler.planning.build import build_for

        build = build_for(self.services[service], DESIRED.hosts["ks1"], "yoga", "21.0.1")
        assert build is not None
        return build.config_digest

    def start(self) -> None:
        """Start a daemon on the store, as after a kill."""
        self.journal = MemoryJournal(self.clock, self.store)
        ports = self.ports()
        self.memory = Memory(ports, self.read, Executor(ports))

    def ports(self) -> Ports:
        """Return the world as a daemon that starts now has it."""
        return Ports(
            hosts=self.fleet.hosts,
            databases=self.fleet,
            http=self.fleet,
            dns=MemoryDns(),
            metrics=self.metrics,
            secrets=NoSecrets(),
            source=self.source,
            journal=self.journal,
            clock=self.clock,
        )

    def read(self, revision: Revision) -> Read:
        wanted = self.wanted[revision.commit]
        problems = () if wanted else (Block("SourceInvalid", "fleet.yaml:1:1: as the test wanted"),)
        return Read(revision.commit, wanted, self.catalog if wanted else None, problems)

    def want(self, message: str = "change", **changes: object) -> str:
        """Commit a desired state that differs from the sample in the Keystone service."""
        accepts = changes.pop("accepts", ())
        return self.commit(replace(desired(**changes), accepts=accepts), message)

    def commit(self, wanted: Desired | None, message: str = "change", parent: str | None = None) -> str:
        """Commit a desired state, None for one that cannot be read."""
        commit = self.source.commit({"fleet.yaml": str(len(self.wanted)).encode()}, parent, message)
        self.wanted[commit] = wanted
        return commit

    async def pass_once(self) -> Report:
        self.memory.remember()
        history = self.memory.history
        self.memory.source = await self.source.latest(history.accepted, history.trusted)
        report = await reconcile(self.memory)
        assert self.defective or not (found := list(law_9_every_verdict_explains_itself(report))), found
        return report

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

    def store_entries(self) -> Sequence[Entry]:
        """Return what the store holds, whoever wrote it."""
        found = whole(self.store.lines)
        assert not isinstance(found, Break), found
        return found

    def rows(self) -> list[str]:
        return self.fleet.data.rows

    def running(self) -> dict[str, str]:
        return {name: machine.running.split("/")[-1] for name, machine in self.fleet.machines.items()}


BROKEN_CONFIG = {"*": (ConfigFile(path="/etc/keystone/keystone.conf", template="[DEFAULT]\nbroken\n"),)}


def second(name: str = "identity") -> Service:
    """Return another service on the sample's hosts, with a database, a unit and builds of its own."""
    return replace(
        KEYSTONE,
        name=name,
        databases={"main": Database(name="main", url=f"mysql+pymysql://{name}@db/{name}")},
        units=(name,),
        builds={
            "*": BuildSpec(
                form="environment",
                path=f"/srv/{name}/{{release}}",
                link=f"/srv/{name}/current",
                requirements=("keystone=={version}",),
            )
        },
        config={"*": (ConfigFile(path=f"/etc/{name}/{name}.conf", template="[DEFAULT]\nregion = {region}\n"),)},
        commands={"keystone-manage": ("{env}/bin/keystone-manage", "--config-file", f"/etc/{name}/{name}.conf")},
        verify=(
            HttpProbe(name="token", url=f"http://{{address}}:{{port}}/{name}", count=2, interval_s=0.1, warmup_s=1),
        ),
        smoke=(HttpProbe(name="token", url=f"http://{{address}}:{{port}}/{name}", warmup_s=1),),
    )


def fleet_of(services: Sequence[Service], groups: Mapping[str, tuple[str, ...]]) -> Desired:
    """Return the sample's fleet with these services."""
    return replace(DESIRED, services={service.name: service for service in services}, groups=dict(groups))
