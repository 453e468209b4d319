"""How daemons reach the hosts: everything takes time, and any word may be lost on either way; and their Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random

from reconciler.domain.desired import Host, Prometheus
from reconciler.domain.metric import MetricSample
from reconciler.domain.observation import Known, Observed
from reconciler.domain.reasons import Reason
from reconciler.domain.step_key import StepKey
from reconciler.ports import Answer, Clock, HostStep, Order, Question, Unreachable
from tests.fakes.hosts import FakeHosts
from tests.fakes.metrics import MemoryMetrics
from tests.simulation.gates import Heard
from tests.simulation.loop import PROCESS
from tests.simulation.weather import SLOW_S, Weather


class Link:
    """Implements `ports.Hosts` for one daemon; `took` is told of every order that came to a host."""

    def __init__(
        self, hosts: FakeHosts, rng: Random, weather: Callable[[], Weather], took: Callable[[str, StepKey], None]
    ) -> None:
        self.hosts = hosts
        self.rng = rng
        self.weather = weather
        self.took = took
        self.thawed = asyncio.Event()
        self.thawed.set()

    async def look(self, host: Host, questions: Sequence[Question]) -> Mapping[str, Answer] | Unreachable:
        if await self._lost(self.weather().lost):
            return _gone(host)
        answers = await self.hosts.look(host, questions)
        if await self._lost(self.weather().unheard):
            return _gone(host)
        return answers if isinstance(answers, Unreachable) else {key: self._read(a) for key, a in answers.items()}

    async def start(self, host: Host, order: Order) -> HostStep | Unreachable:
        if await self._lost(self.weather().lost):
            return _gone(host)
        reply = await self.hosts.start(host, order)
        self.took(host.name, order.key)
        return _gone(host) if await self._lost(self.weather().unheard) else reply

    async def ask(self, host: Host, keys: Sequence[StepKey]) -> Mapping[StepKey, HostStep] | Unreachable:
        if await self._lost(self.weather().lost):
            return _gone(host)
        reply = await self.hosts.ask(host, keys)
        return _gone(host) if await self._lost(self.weather().unheard) else reply

    async def wait(self, host: Host, key: StepKey) -> None:
        if not await self._lost(self.weather().lost):
            await self.hosts.wait(host, key)
            await self._lost(0)

    async def forget(self, host: Host, runs: Sequence[str]) -> None:
        if not await self._lost(self.weather().lost):
            await self.hosts.forget(host, runs)

    async def close(self) -> None:
        return None

    async def _lost(self, chance: float) -> bool:
        """Take the time of one way, and tell whether the word was lost on it."""
        slow = self.rng.random() < self.weather().slow
        await asyncio.sleep(SLOW_S if slow else self.rng.random() * self.weather().delay_s)
        await self.thawed.wait()
        return self.rng.random() < chance

    def _read(self, answer: Answer) -> Answer:
        if self.rng.random() < self.weather().cut_off:
            return replace(answer, output=answer.output[: self.rng.randrange(len(answer.output) + 1)])
        return answer


class Metrics(MemoryMetrics):
    """A Prometheus that keeps what it told to whom; the first daemon leads under the epoch after that of the stage."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock=clock)
        self.heard: list[Heard] = []

    async def query(self, server: Prometheus, token: str | None, promql: str) -> Observed[tuple[MetricSample, ...]]:
        found = await super().query(server, token, promql)
        quiet = isinstance(found, Known) and not found.value
        self.heard.append(Heard(PROCESS.get() + 1, found.at, promql, quiet))
        return found


def _gone(host: Host) -> Unreachable:
    return Unreachable(Reason.HOST_UNREACHABLE, f"{host.name}: the link was lost")
