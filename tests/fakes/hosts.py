"""Machines in memory, with a menu of faults: implements `ports.Hosts`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.domain.desired import Host
from reconciler.domain.outcome import Exited
from reconciler.domain.reasons import Reason
from reconciler.domain.step_key import StepKey
from reconciler.ports import (
    Answer,
    Died,
    Fenced,
    HostStep,
    NeverStarted,
    Order,
    Question,
    Reverted,
    Running,
    Unreachable,
)
from tests.fakes.told import Told

Behaviour = Callable[[Host, Order], Exited]
Looks = Callable[[Host, Sequence[Question]], Mapping[str, Answer]]


def obedient(_host: Host, _order: Order) -> Exited:
    """Every step succeeds and says nothing."""
    return Exited(0, "")


def silent(_host: Host, _questions: Sequence[Question]) -> Mapping[str, Answer]:
    """No question is answered."""
    return {}


@dataclass
class Faults:
    """What shall go wrong. Names are host names, steps are `StepKey.step`, numbers count all starts from 1.

    `unreachable`: host to reason. `lost_answers`: starts that are carried out and reported as Unreachable.
    `lost_orders`: starts that never reach the host. `dies_before`, `dies_after`: steps whose process is gone before or
    after it did its work. `reboots`: hosts whose dead steps died by a reboot. `held`: steps that run until `release`;
    `hold_all` holds every one. `cut_off`: guarded steps that cut their host off for too long. `told`: how a host tells
    of a step that did its work: with a bad exit code, by a lost answer to its first order, or as running until `release`.
    """

    unreachable: dict[str, Reason] = field(default_factory=dict)
    lost_answers: set[int] = field(default_factory=set)
    lost_orders: set[int] = field(default_factory=set)
    dies_before: set[str] = field(default_factory=set)
    dies_after: set[str] = field(default_factory=set)
    reboots: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    cut_off: set[str] = field(default_factory=set)
    hold_all: bool = False
    told: dict[str, Told] = field(default_factory=dict)


@dataclass
class FakeHost:
    """What one machine remembers: `epoch` it obeys, how its steps stand, and the orders of those still held."""

    epoch: int = 0
    steps: dict[StepKey, HostStep] = field(default_factory=dict)
    waiting: dict[StepKey, tuple[Host, Order]] = field(default_factory=dict)
    late: dict[StepKey, HostStep] = field(default_factory=dict)


class FakeHosts:
    """The machines. `ledger` lists what was executed, once per execution; `starts` counts start orders."""

    def __init__(self, behaviour: Behaviour = obedient, looks: Looks = silent, faults: Faults | None = None) -> None:
        self.behaviour = behaviour
        self.looks = looks
        self.faults = faults or Faults()
        self.hosts: dict[str, FakeHost] = {}
        self.ledger: list[tuple[str, StepKey]] = []
        self.arrived: dict[tuple[str, StepKey], int] = {}  # when a host took an order, counted over all
        self.starts = 0
        self._changed = asyncio.Event()

    async def look(self, host: Host, questions: Sequence[Question]) -> Mapping[str, Answer] | Unreachable:
        trouble = self._trouble(host)
        if trouble:
            return trouble
        about = [question for question in questions if question.key != "steps"]
        answers = dict(self.looks(host, about))
        if len(about) < len(questions):
            runs = sorted({key.run for key in self._machine(host).steps})
            answers["steps"] = Answer(0, "".join(f"{run}\n" for run in runs).encode())
        return answers

    async def start(self, host: Host, order: Order) -> HostStep | Unreachable:
        self.starts += 1
        number = self.starts
        trouble = self._trouble(host)
        if trouble:
            return trouble
        if number in self.faults.lost_orders:
            return _lost(host)
        known = order.key in self._machine(host).steps
        step = self._obey(host, order)
        unheard = not known and self.faults.told.get(order.key.step) is Told.AS_UNKNOWN
        return _lost(host) if unheard or number in self.faults.lost_answers else step

    async def ask(self, host: Host, keys: Sequence[StepKey]) -> Mapping[StepKey, HostStep] | Unreachable:
        machine = self._machine(host)
        return self._trouble(host) or {key: machine.steps.get(key, NeverStarted()) for key in keys}

    async def wait(self, host: Host, key: StepKey) -> None:
        while not self._trouble(host) and isinstance(self._machine(host).steps.get(key), Running):
            changed = self._changed
            await changed.wait()

    async def disarm(self, host: Host, key: StepKey, epoch: int) -> HostStep | Unreachable:
        machine = self._machine(host)
        step = machine.steps.get(key, NeverStarted())
        if epoch < machine.epoch:
            return self._trouble(host) or Fenced(machine.epoch)
        machine.epoch = epoch if key in machine.steps else machine.epoch
        ended = not isinstance(step, Running | NeverStarted)
        return self._trouble(host) or (Reverted(0, "put back") if ended and key.step in self.faults.cut_off else step)

    async def forget(self, host: Host, runs: Sequence[str]) -> None:
        if self._trouble(host):
            return
        machine = self._machine(host)
        machine.steps = {
            key: step for key, step in machine.steps.items() if key.run not in runs or isinstance(step, Running)
        }

    async def close(self) -> None:
        return None

    def release(self, step: str = "") -> None:
        """Let held steps of that id, or all, do their work and end."""
        self.faults.held.discard(step)
        for machine in self.hosts.values():
            for key in [key for key in machine.waiting if step in ("", key.step)]:
                machine.steps[key] = self._execute(*machine.waiting.pop(key))
            for key in [key for key in machine.late if step in ("", key.step)]:
                machine.steps[key] = machine.late.pop(key)
        self._wake()

    def end(self, host: str, key: StepKey) -> None:
        """Let one held step do its work and end, unless it was killed before."""
        machine = self.hosts.setdefault(host, FakeHost())
        if key in machine.waiting:
            machine.steps[key] = self._execute(*machine.waiting.pop(key))
            self._wake()

    def kill(self, host: str, *, rebooted: bool = False) -> None:
        """End everything that runs on a machine without an exit code."""
        machine = self.hosts.setdefault(host, FakeHost())
        for key in machine.waiting:
            machine.steps[key] = Died(rebooted)
        machine.waiting.clear()
        self._wake()

    def cut(self, host: str, reason: Reason = Reason.HOST_UNREACHABLE) -> None:
        """Take a machine off the network; what runs on it goes on."""
        self.faults.unreachable[host] = reason
        self._wake()

    def mend(self, host: str) -> None:
        """Put a machine back on the network."""
        self.faults.unreachable.pop(host, None)

    def executed(self, step: str) -> int:
        """Count how often steps of that id did their work."""
        return sum(key.step == step for _, key in self.ledger)

    def _obey(self, host: Host, order: Order) -> HostStep:
        machine = self._machine(host)
        if order.epoch < machine.epoch:
            return Fenced(machine.epoch)
        machine.epoch = order.epoch
        if order.key not in machine.steps:
            self.arrived[host.name, order.key] = len(self.arrived)
            if self.faults.hold_all or order.key.step in self.faults.held:
                machine.steps[order.key] = Running()
                machine.waiting[order.key] = host, order
            else:
                machine.steps[order.key] = self._told(machine, order.key, self._execute(host, order))
        return machine.steps[order.key]

    def _told(self, machine: FakeHost, key: StepKey, step: HostStep) -> HostStep:
        match self.faults.told.get(key.step):
            case Told.AS_FAILED:
                return Exited(1, "it could not tell that all was done")
            case Told.LATE:
                machine.late[key] = step
                return Running()
        return step

    def _execute(self, host: Host, order: Order) -> HostStep:
        died = Died(rebooted=host.name in self.faults.reboots)
        if order.key.step in self.faults.dies_before:
            return died
        self.ledger.append((host.name, order.key))
        exited = self.behaviour(host, order)
        return died if order.key.step in self.faults.dies_after else exited

    def _trouble(self, host: Host) -> Unreachable | None:
        reason = self.faults.unreachable.get(host.name)
        return Unreachable(reason, f"{host.name}: not reachable") if reason else None

    def _machine(self, host: Host) -> FakeHost:
        return self.hosts.setdefault(host.name, FakeHost())

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _lost(host: Host) -> Unreachable:
    return Unreachable(Reason.HOST_UNREACHABLE, f"{host.name}: the link was lost in mid-answer")
