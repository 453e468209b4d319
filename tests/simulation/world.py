"""One seed, one world: a fleet, a repository, a store and daemons, and everything that befalls them."""

from __future__ import annotations

import asyncio
from contextvars import Context, copy_context
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from reconciler.daemon import Daemon
from reconciler.domain.alert import Alert
from reconciler.domain.desired import Desired, Host, Quarantine, SecretRef, Service
from reconciler.domain.reasons import Reason
from reconciler.domain.step_key import StepKey
from reconciler.domain.verdict import Report, State
from reconciler.errors import JournalError
from reconciler.ports import HostStep, Order, Ports
from tests.fakes.hosts import Faults
from tests.fakes.journal import Killed
from tests.scenarios.laws import law_9_every_verdict_explains_itself, law_12_in_sync_is_true
from tests.scenarios.stage import Stage, fleet_of, second
from tests.scenarios.test_savepoint import STOPS
from tests.simulation.faults import FOREVER, HOSTS, MENU, NEWEST, a_goal, aimed, menu_of
from tests.simulation.leases import Taken
from tests.simulation.link import Link, Metrics
from tests.simulation.loop import PROCESS, LoopClock, VirtualLoop
from tests.simulation.replacing import NEW, NEW_HOSTS, RETIRING, fitting
from tests.simulation.weather import AS_SAID, CALM, STUCK_S, Weather, drawn, work
from tests.support.sample import KEYSTONE

QUIET = Alert(name="errors", promql="api_errors > 0")
"""What must not fire, where git says so."""
RESTING = {State.IN_SYNC, State.HALTED, State.BLOCKED, State.SUSPENDED}
GATES = {Reason.APPROVAL_MISSING, Reason.BACKUP_MISSING, Reason.UNAVAILABLE, Reason.ALERT_FIRING, Reason.ALERT_UNKNOWN}
CALM_S = 45.0
"""So long nothing may move until the fleet is said to rest; longer than two sweeps."""
BOUND_S = 4000.0
"""Within so much time everything rests once faults have stopped."""
SWEEP_S = 15.0
POLL_S = 10.0


@dataclass(frozen=True)
class Event:
    """One thing that befalls the world, so many seconds after its start."""

    at: float
    name: str
    drawn: dict[str, Any]

    def __str__(self) -> str:
        told = ", ".join(f"{key}={value}" for key, value in self.drawn.items())
        return f"{self.name}({told})"


@dataclass(frozen=True)
class Scenario:
    """What a seed stands for: how the fleet is laid out, the weather at first, and what happens when."""

    seed: int
    layout: str
    weather: Weather
    goal: dict[str, str]
    events: tuple[Event, ...]

    @classmethod
    def of(cls, seed: int) -> Scenario:
        """Draw a scenario. Each seed knows only a part of the menu, so that rare things are not drowned by others."""
        rng = Random(seed)
        layout = rng.choice(("alone", "alone", "group", "apart"))
        weather = rng.choice((CALM, drawn(rng)))
        goal = a_goal(rng)
        menu = menu_of(seed)
        armed = [name for name in menu if rng.random() < 0.4] or list(menu)
        weights = [menu[name].weight for name in armed]
        events, at = [], 0.0
        for name in rng.choices(armed, weights, k=rng.randint(0, 20)):
            at += rng.expovariate(1 / rng.choice((0.5, 5.0, 20.0)))
            events.append(Event(at, name, {key: draw(rng) for key, draw in menu[name].draws.items()}))
        return cls(seed, layout, weather, goal, tuple(events))


@dataclass
class Running:
    """One daemon that lives: its loop, and its link to the hosts."""

    daemon: Daemon
    link: Link
    task: asyncio.Task[None]


class World(Stage):
    """A stage with real daemons on it, in virtual time."""

    clock: LoopClock
    metrics: Metrics

    def __init__(self, scenario: Scenario, loop: VirtualLoop) -> None:
        self.scenario, self.loop = scenario, loop
        self.weather = CALM
        self.daemons: list[Running] = []
        self.booted = 0
        self.rows = 0
        self.lies: set[StepKey] = set()
        self.planned: set[tuple[str, StepKey]] = set()
        self.taken: list[Taken] = []
        self.lied_at = -1000.0
        self.next_work: list[str] = []  # how the next steps that do something on hosts end: denied | idle
        self.breaches: list[str] = []
        self.notes: list[str] = []
        self.report: Report | None = None
        self.moved_at = 0.0
        names = ["keystone"] if scenario.layout == "alone" else ["keystone", "identity"]
        new = {"keystone": NEW} if scenario.seed >= NEWEST else {}
        super().__init__(Faults(hold_all=True), {name: _plain(name) for name in names}, new, LoopClock(loop))
        self.metrics = Metrics(self.clock)
        self.fleet.hosts.behaviour = self._work
        self.work_rng = Random(f"{scenario.seed} work")
        groups = {"control": tuple(names)} if scenario.layout == "group" else {}
        fleet = fleet_of(list(self.services.values()), groups)
        procedures = {**fleet.procedures, STOPS.name: STOPS, RETIRING.name: RETIRING}
        self.want_all(replace(fleet, hosts={**fleet.hosts, **(NEW_HOSTS if new else {})}, procedures=procedures))

    def want_all(self, wanted: Desired) -> None:
        """Commit a desired state; the next change is made to it."""
        self.wanted_now = fitting(wanted)
        self.commit(self.wanted_now)

    def leave_alone(self, *away: str) -> None:
        """Put hosts into quarantine, and let all others out of it."""
        first = next(host for host in HOSTS if host not in away)
        own = {name: each for name, each in self.wanted_now.services.items() if first in each.hosts}
        services = self.wanted_now.services | {name: replace(each, bootstrap=first) for name, each in own.items()}
        alone = tuple(Quarantine(host=host, by="ada", reason="it died", until=FOREVER) for host in away)
        self.want_all(replace(self.wanted_now, services=services, quarantined=alone))

    def without_gates(self) -> Desired:
        """Return what is wanted now, with nothing that holds it back."""
        services = {name: replace(each, max_unavailable=None) for name, each in self.wanted_now.services.items()}
        return replace(self.wanted_now, services=services, windows=(), approvals={}, alerts=(), backups={})

    def note(self, text: str) -> None:
        self.notes.append(f"{self.loop.time():9.2f} {text}")

    # ------------------------------------------------------------ daemons

    def ports(self) -> Ports:
        rng = Random(f"{self.scenario.seed} link {self.booted}")
        link = Link(self.fleet.hosts, rng, lambda: self.weather, self._took)
        return replace(super().ports(), hosts=link)

    def boot(self) -> None:
        """Start a daemon beside those that live; the newest has the lease."""
        self.booted += 1
        self.start()
        self.memory.sweep_s = SWEEP_S
        number = self.booted

        async def publish(report: Report) -> None:
            self._publish(number, report)

        def defect(error: Exception) -> None:
            self.breaches.append(f"a pass of daemon {number} failed: {error!r}")

        daemon = Daemon(self.memory, publish, poll_s=POLL_S, defect=defect)
        link = self.memory.ports.hosts
        assert isinstance(link, Link)
        context = copy_context()
        context.run(PROCESS.set, number)
        task = self.loop.create_task(daemon.run(), context=context)
        task.add_done_callback(lambda task: self._ended(number, task))
        self.daemons.append(Running(daemon, link, task))

    def kill_daemon(self) -> None:
        """Kill all daemons, as SIGKILL does, and start one."""
        for number in range(1, self.booted + 1):
            self.loop.continue_process(number)
        for each in self.daemons:
            each.task.cancel()
        self.boot()

    def freeze(self, seconds: float) -> None:
        """Let the leader's words to hosts stand still for a while; another daemon takes over."""
        link = self.daemons[-1].link
        link.thawed.clear()
        self.loop.call_later(seconds, link.thawed.set)
        self.boot()

    def stop_leader(self, seconds: float) -> None:
        """Stop the leader where it stands; another daemon takes the lease, and the first goes on later."""
        number = self.booted
        self.loop.stop_process(number)
        self.loop.call_later(seconds, self.loop.continue_process, number)
        self.boot()

    def _ended(self, number: int, task: asyncio.Task[None]) -> None:
        self.daemons = [each for each in self.daemons if each.task is not task]
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, Killed):
            self.note(f"daemon {number} was killed: {error}")
            if number == self.booted:
                self.boot()
        elif number != self.booted and isinstance(error, JournalError) and error.reason == Reason.JOURNAL_LEASE_LOST:
            self.note(f"daemon {number} ended: {error}")
        else:
            self.breaches.append(f"daemon {number} ended by itself: {error!r}")

    def _publish(self, number: int, report: Report) -> None:
        self.breaches.extend(law_9_every_verdict_explains_itself(report))
        if number != self.booted:
            return
        self.report = report
        if not _rests(report):
            self.moved_at = self.loop.time()

    # ------------------------------------------------------------ hosts

    def _took(self, host: str, key: StepKey) -> None:
        """Let an order that came to a host take its time there."""
        machine = self.fleet.hosts.hosts.get(host)
        if machine is None or key not in machine.waiting or (host, key) in self.planned:
            return
        self.planned.add((host, key))
        self.taken.append(Taken(host, key, machine.waiting[key][1].epoch, self.store.epoch, len(self.store.lines)))
        stuck = self.work_rng.random() < self.weather.stuck
        seconds = STUCK_S if stuck else self.work_rng.random() * self.weather.work_s
        self.loop.call_later(seconds, self.fleet.hosts.end, host, key, context=Context())

    def _work(self, host: Host, order: Order) -> HostStep:
        how = self.next_work.pop(0) if self.next_work else ""
        ended, lie = work(self.fleet, host, order, AS_SAID.get(how, self.weather), self.work_rng)
        self.note(f"  {host.name} {order.key.step} #{order.key.attempt}: {ended} {lie}")
        if lie:
            self.lies.add(order.key)
        return ended

    # ------------------------------------------------------------ a life

    async def live(self) -> None:
        """Let all happen that the scenario says; then let faults stop, and the fleet come to rest."""
        self.boot()
        await asyncio.sleep(POLL_S)
        self.weather = self.scenario.weather
        services = {name: aimed(service, self.scenario.goal) for name, service in self.wanted_now.services.items()}
        self.want_all(replace(self.wanted_now, services=services))
        for event in self.scenario.events:
            await asyncio.sleep(max(0.0, POLL_S + event.at - self.loop.time()))
            self.note(str(event))
            MENU[event.name].act(self, **event.drawn)
        self.heal()
        await self.rest()
        assert self.report is not None
        for decision in self.report.decisions:
            if decision.verdict.state is State.HALTED:
                self.journal.ask("retry", decision.verdict.group, "ada", "all is mended")
        await self.rest()
        if self.report.desired is not None:
            self.breaches.extend(law_12_in_sync_is_true(self.report, self.fleet))
        elif not self.report.problems:
            self.breaches.append("law 12: no desired state is in force, and nobody says why")
        await self.end()

    def heal(self) -> None:
        """Let all faults stop."""
        self.note("faults stop")
        self.weather = CALM
        for host in self.fleet.names:
            self.fleet.hosts.mend(host)
        self.fleet.dead_apis, self.fleet.untrue, self.next_work = set(), [], []
        self.metrics.answers = {QUIET.promql: ()}
        self.fleet.hosts.release()
        self.source.reachable = True
        self.kill_daemon()
        opened = self.without_gates()
        if opened != self.wanted_now:
            self.want_all(opened)
        if self.memory.remember().suspensions:
            self.journal.ask("resume", "", "ada", "all is mended")

    async def rest(self) -> None:
        """Let time pass until nothing has moved for a while."""
        begun = self.moved_at = self.loop.time()
        while self.loop.time() - self.moved_at < CALM_S:
            if self.loop.time() - begun > BOUND_S:
                verdicts = [d.verdict for d in self.report.decisions] if self.report else "no report"
                self.breaches.append(f"law 12: no rest: {verdicts}")
                return
            await asyncio.sleep(5.0)

    async def end(self) -> None:
        """Kill what lives."""
        running = list(self.daemons)
        for each in running:
            each.task.cancel()
        await asyncio.gather(*(each.task for each in running), return_exceptions=True)


def _plain(name: str) -> Service:
    """Return a service of the sample with a secret in its configuration."""
    service = KEYSTONE if name == "keystone" else second(name)
    return replace(service, secrets={"db": SecretRef("file", "/etc/secret")}, policy="offline")


def _rests(report: Report) -> bool:
    """Tell whether all groups rest; one may wait for another only if that one rests, and for what no daemon brings.

    Where the newest commit is not in force, neither is what it says of gates.
    """
    others = {Reason.WINDOW_CLOSED, Reason.DRIFT_REPEATS, Reason.QUARANTINED_SERVING}
    others |= GATES if report.revision != report.source.head else set()
    verdicts = [decision.verdict for decision in report.decisions if decision.verdict.reason not in others]
    moving = [v for v in verdicts if v.state not in RESTING]
    return all(v.reason in {Reason.CLAIMED, Reason.FLEET_HALTED} for v in moving) and (
        not moving or len(moving) < len(verdicts)
    )
