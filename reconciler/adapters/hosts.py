"""The machines, over SSH: implements `ports.Hosts` with the runner."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.adapters import runner, sudo
from reconciler.adapters.ssh import Connections, SshSettings
from reconciler.adapters.ssh_errors import LinkError
from reconciler.adapters.ssh_talk import Ending, Talk
from reconciler.domain.desired import Host
from reconciler.domain.reasons import Reason
from reconciler.domain.step_key import StepKey
from reconciler.ports import Answer, HostStep, Order, Question, Running, Unreachable

# Bytes of one step's state as the runner tells it, in base64, with room for banners before it.
_TALK_LIMIT = (runner.OUTPUT_LIMIT + runner.VALUES_LIMIT) * 3 // 2 + 65536


@dataclass(frozen=True, slots=True)
class _Orders:
    """What the runner is told, how many bytes it may answer; `heard` is set at the answer's first state or its end.

    `stays`: the shell that carries them out stays for the next ones.
    """

    text: str
    limit: int = _TALK_LIMIT
    repeatable: bool = False
    stays: bool = False
    heard: asyncio.Event = field(default_factory=asyncio.Event)


_Talking = asyncio.Task[Unreachable | None]


class SshHosts:
    """Starts steps, asks after them and looks, in one round trip each."""

    def __init__(self, settings: SshSettings) -> None:
        self._settings = settings
        self._connections = Connections(settings)
        self._tasks: set[_Talking] = set()
        self._watches: dict[tuple[str, StepKey], _Talking] = {}
        self._slots: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(max(1, settings.channels_per_host // 2))
        )

    async def look(self, host: Host, questions: Sequence[Question]) -> Mapping[str, Answer] | Unreachable:
        """Ask read-only questions in one round trip; a key that is missing from the answer was not reached."""
        settings, reply = self._settings, runner.Reply()
        orders = runner.look(questions, settings.question_timeout_s, settings.answer_limit)
        limit = len(questions) * settings.answer_limit * 3 // 2 + _TALK_LIMIT
        failure = await self._ask(host, _Orders(orders, limit, repeatable=True, stays=True), reply)
        if failure and not (reply.answers and failure.reason == Reason.HOST_UNREACHABLE):
            return failure
        return {questions[number].key: answer for number, answer in reply.answers.items() if number < len(questions)}

    async def start(self, host: Host, order: Order) -> HostStep | Unreachable:
        """Start a step detached, or attach to it; a short one's end is told at once.

        Unreachable after the order was sent means an unknown outcome: ask. Raises ValueError for an order that cannot
        be rendered: a key or a variable that is no plain name, a word with NUL.
        """
        async with self._connections.zone(host):
            stay = (host.name, order.key) not in self._watches and await self._take_slot(host)
            orders, reply = _Orders(runner.start(host, order, stay=stay)), runner.Reply()
            task = self._spawn(self._converse(host, orders, reply))
            if stay:
                task.add_done_callback(lambda _: self._slots[host.name].release())
                self._watch(host, order.key, task)
            try:
                async with asyncio.timeout(self._settings.answer_timeout_s):
                    await orders.heard.wait()
                await asyncio.wait({task}, timeout=self._settings.grace_s)
            except TimeoutError:
                self._connections.forget(host)
                task.cancel()
        if 0 in reply.steps:
            return reply.steps[0]
        await asyncio.wait({task})
        failure = _silent(host) if task.cancelled() else task.result()
        return failure or Unreachable(Reason.HOST_OUTPUT_INVALID, f"{host.name}: did not say how the step stands")

    async def ask(self, host: Host, keys: Sequence[StepKey]) -> Mapping[StepKey, HostStep] | Unreachable:
        """Say how steps stand."""
        if not keys:
            return {}
        reply = runner.Reply()
        orders = _Orders(runner.ask(host, keys), (len(keys) + 1) * _TALK_LIMIT, repeatable=True)
        failure = await self._ask(host, orders, reply)
        if failure:
            return failure
        if set(reply.steps) != set(range(len(keys))):
            return Unreachable(Reason.HOST_OUTPUT_INVALID, f"{host.name}: answered other questions than were asked")
        return {key: reply.steps[number] for number, key in enumerate(keys)}

    async def wait(self, host: Host, key: StepKey) -> None:
        """Return when the step has ended or the link is gone; decides nothing."""
        task = self._watches.get((host.name, key))
        if task is None:
            orders = _Orders(runner.watch(host, key), repeatable=True)
            task = self._watch(host, key, self._spawn(self._wait_in_line(host, orders)))
        await asyncio.wait({task})

    async def disarm(self, host: Host, key: StepKey, epoch: int) -> HostStep | Unreachable:
        """Say over a new connection how a guarded step stands; the guard of one that has ended fires no more."""
        orders, reply = _Orders(runner.disarm(host, key, epoch), repeatable=True), runner.Reply()
        try:
            async with self._connections.zone(host), asyncio.timeout(self._settings.answer_timeout_s):
                failure = await self._converse(host, orders, reply, anew=True)
        except TimeoutError:
            failure = _silent(host)
        if failure or 0 not in reply.steps:
            return failure or Unreachable(Reason.HOST_OUTPUT_INVALID, f"{host.name}: did not say how the step stands")
        if not isinstance(reply.steps[0], Running):
            self._connections.forget(host)  # the kept one may be dead since the step
        return reply.steps[0]

    async def forget(self, host: Host, runs: Sequence[str]) -> None:
        """Remove the folders of ended steps of these runs; a host that does not answer keeps them."""
        await self._ask(host, _Orders(runner.forget(host, runs), repeatable=True), runner.Reply())

    async def close(self) -> None:
        """Close all connections; what runs on hosts goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._connections.close()

    async def _ask(self, host: Host, orders: _Orders, reply: runner.Reply) -> Unreachable | None:
        """Have orders carried out within the deadline."""
        try:
            async with self._connections.zone(host), asyncio.timeout(self._settings.answer_timeout_s):
                return await self._converse(host, orders, reply)
        except TimeoutError:
            if not reply.greeted:
                self._connections.forget(host)
            return _silent(host)

    async def _converse(
        self, host: Host, orders: _Orders, reply: runner.Reply, *, anew: bool = False
    ) -> Unreachable | None:
        """Send orders, `anew` over a connection of their own, and read the whole answer; None when it is whole."""

        def hear(chunk: bytes) -> bool:
            reply.feed(chunk)
            if reply.steps:
                orders.heard.set()
            return reply.ended or bool(reply.broken)

        shell = self._settings.shell
        command, request = runner.command(host, shell), runner.request(orders.text, shell, stays=orders.stays)
        try:
            talk = self._connections.talk_anew if anew else self._connections.talk
            ending = await talk(host, Talk(command, request, hear, orders.limit, orders.repeatable, orders.stays))
        except LinkError as error:
            return Unreachable(error.reason, error.text)
        finally:
            orders.heard.set()
        return _judge(host, reply, ending)

    async def _take_slot(self, host: Host) -> bool:
        """Take one of the channels on which ends of steps are awaited, if one is free."""
        slots = self._slots[host.name]
        return not slots.locked() and await slots.acquire()

    async def _wait_in_line(self, host: Host, orders: _Orders) -> Unreachable | None:
        async with self._slots[host.name]:
            return await self._converse(host, orders, runner.Reply())

    def _watch(self, host: Host, key: StepKey, task: _Talking) -> _Talking:
        """Let all who wait for a step wait for one task, which goes on when they are called away."""
        self._watches[host.name, key] = task
        task.add_done_callback(lambda _: self._watches.pop((host.name, key)))
        return task

    def _spawn(self, talking: Coroutine[None, None, Unreachable | None]) -> _Talking:
        task = asyncio.create_task(talking)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _silent(host: Host) -> Unreachable:
    return Unreachable(Reason.HOST_UNREACHABLE, f"{host.name}: did not answer in time")


def _judge(host: Host, reply: runner.Reply, ending: Ending | None) -> Unreachable | None:
    """Say what an answer lacks of being whole; None: nothing."""
    if reply.broken or reply.refused:
        return Unreachable(Reason.HOST_OUTPUT_INVALID, f"{host.name}: {reply.broken or reply.refused}")
    if ending is None:
        return None
    if ending.status is None:
        return Unreachable(Reason.HOST_UNREACHABLE, f"{host.name}: the link was lost in mid-answer; {ending.errors}")
    if host.login.become == "sudo" and not reply.greeted:
        return Unreachable(Reason.HOST_SUDO_REFUSED, sudo.refusal(host, ending.status, ending.errors))
    return Unreachable(
        Reason.HOST_OUTPUT_INVALID, f"{host.name}: the shell ended with {ending.status}: {ending.errors}"
    )
