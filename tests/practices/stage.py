"""A stage on which a practice is carried out: the real pass on its fleet in memory, in virtual time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.domain.desired import Desired, Service
from reconciler.domain.observation import Package
from reconciler.domain.plan import Step
from reconciler.domain.revision import Revision
from reconciler.domain.step_key import StepKey
from reconciler.domain.verdict import Report, State, Verdict
from reconciler.execution.executor import Executor
from reconciler.execution.look import database_of
from reconciler.execution.memory import Memory, Read
from reconciler.planning.deployments import all_of, seen_as
from reconciler.ports import Ports
from reconciler.reconcile import reconcile
from tests.fakes.clock import VirtualClock, settle
from tests.fakes.cloud import Cloud
from tests.fakes.dns import MemoryDns
from tests.fakes.journal import MemoryJournal, Store
from tests.fakes.metrics import MemoryMetrics
from tests.fakes.source import MemorySource
from tests.practices.record import AT, at_start, before, practice
from tests.scenarios.laws import law_9_every_verdict_explains_itself
from tests.scenarios.stage import NoSecrets

PASSES = 3000
"""No practice needs more passes; one that does is stuck."""


class Stage:
    """One practice's fleet; commits ask for where it stands (`stay`) or for its goal (`go`)."""

    def __init__(self, name: str) -> None:
        self.goal, self.catalog = practice(name)
        self.start = at_start(self.goal, name)
        self.clock = VirtualClock(AT)
        self.cloud = Cloud(self.clock, before(name), _urls(self.goal))
        self.cloud.step_of = self._step
        self.source = MemorySource()
        self.wanted: dict[str, Desired] = {}
        self.dns = _names(self.goal)
        self.journal = MemoryJournal(self.clock, Store.empty())
        ports = Ports(
            hosts=self.cloud.hosts,
            databases=self.cloud,
            http=self.cloud,
            secrets=NoSecrets(),
            source=self.source,
            journal=self.journal,
            clock=self.clock,
            dns=self.dns,
            metrics=MemoryMetrics(),
        )
        self.memory = Memory(ports, self._read, Executor(ports))

    def stay(self) -> None:
        """Ask for what is there, as a revert does."""
        self._commit(self.start)

    def go(self, **releases: str) -> None:
        """Ask for the goal, but that the services named are to run other releases."""
        asked = {name: replace(self.goal.services[name], release=release) for name, release in releases.items()}
        self._commit(replace(self.goal, services={**self.goal.services, **asked}))

    async def others_move(self, service: str) -> None:
        """Let others bring their service to its goal, and time go by until it is looked at again."""
        wanted = self.goal.services[service]
        for host in wanted.hosts:
            for name, version in wanted.builds[wanted.release].packages.items():
                self.cloud.machines[host].packages[name] = Package(version, held=True, installed_at=self.clock.now())
        await self.clock.advance(self.memory.sweep_s + 1)

    def retry(self, group: str) -> None:
        """Say that what failed is to be tried again."""
        self.journal.ask("retry", group, "ada", "mended")

    async def until_done(self, word: str) -> None:
        """Pass, and let time go by, until a step was carried out whose id holds a word."""
        for _ in range(PASSES):
            await self._pass()
            await settle()
            if any(word in each for each in self.cloud.ledger):
                return
            await self.clock.advance(1.0)
        raise AssertionError(f"not done: {word}; {self.cloud.ledger[-5:]}")

    async def _pass(self) -> Report:
        history = self.memory.remember()
        self.memory.source = await self.source.latest(history.accepted, history.trusted)
        report = await reconcile(self.memory)
        assert not (found := list(law_9_every_verdict_explains_itself(report))), found
        return report

    async def rest(self) -> dict[str, Verdict]:
        """Pass, and let time go by, until no group moves any more; return the verdicts by group."""
        for _ in range(PASSES):
            report = await self._pass()
            verdicts = {decision.verdict.group: decision.verdict for decision in report.decisions}
            moving = {State.PROGRESSING, State.BACKING_OUT}
            still = verdicts and not any(each.state in moving for each in verdicts.values())
            looking = self.memory.looking is not None and not self.memory.looking.done()
            fresh = all(self.memory.fresh_for(group, self.memory.looked_for) for group in verdicts)
            if still and not self.memory.executor.tasks and not looking and fresh:
                return verdicts
            await settle()
            await self.clock.advance(1.0)
        raise AssertionError(f"stuck: {verdicts}; {self.cloud.ledger[-5:]}")

    def commit(self, *services: Service) -> None:
        """Ask for the goal with some services changed."""
        self._commit(replace(self.goal, services={**self.goal.services, **{each.name: each for each in services}}))

    def _commit(self, desired: Desired) -> None:
        commit = self.source.commit({"fleet.yaml": str(len(self.wanted)).encode()})
        self.wanted[commit] = desired

    def _read(self, revision: Revision) -> Read:
        return Read(revision.commit, self.wanted[revision.commit], self.catalog, ())

    def _step(self, key: StepKey) -> Step:
        run = next(each for each in self.memory.remember().runs if each.id == key.run)
        return next(step for step in (*run.steps, *run.plan.steps) if step.id == key.step)


def _urls(desired: Desired) -> Mapping[tuple[str, str], str]:
    """Return where each database is, by the name under which it is seen."""
    return {
        (seen_as(each), name): database_of(desired, each, name).url
        for service in desired.services.values()
        for each in all_of(service)
        for name in each.databases
    }


def _names(desired: Desired) -> MemoryDns:
    """Let each endpoint's name mean what its service says was there before."""
    first = [all_of(service)[:2][-1] for service in desired.services.values()]
    vars_ = [service.vars for service in first if "old_address" in service.vars]
    records = {(f"{each['endpoint']}.", "A"): (each["old_address"],) for each in vars_}
    return MemoryDns(zones={"cloud.example.net."}, keys={"reconciler": "s3cret"}, records=records)
