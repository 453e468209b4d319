"""The machines, over SSH: implements `ports.Hosts` with the runner."""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress

from reconciler.adapters import runner
from reconciler.adapters.ssh import Connections, Ending, LinkError, SshSettings, Talk
from reconciler.domain.desired import Host
from reconciler.domain.reasons import Reason
from reconciler.ports import Answer, HostStep, Order, Question, StepKey, Unreachable

# Of the channels on one connection, how many may be held open by steps that are waited for.
_WATCHES_PER_HOST = 4
# Bytes of one step's state as the runner tells it, in base64, with room for banners before it.
_TALK_LIMIT = (runner.OUTPUT_LIMIT + runner.VALUES_LIMIT) * 3 // 2 + 65536


class SshHosts:
    """Starts steps, asks after them and looks, in one round trip each."""

    def __init__(self, settings: SshSettings) -> None:
        self._settings = settings
        self._connections = Connections(settings)
        self._watches: dict[tuple[str, StepKey], asyncio.Task[None]] = {}
        self._slots: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_WATCHES_PER_HOST))

    async def look(self, host: Host, questions: Sequence[Question]) -> Mapping[str, Answer] | Unreachable:
        """Ask read-only questions in one round trip; a key that is missing from the answer was not reached."""
        settings, reply = self._settings, runner.Reply()
        orders = runner.look(questions, settings.question_timeout_s, settings.answer_limit)
        failure = await self._ask(host, orders, reply, len(questions) * (settings.answer_limit * 3 // 2 + 4096))
        if failure and not (reply.answers and failure.reason == Reason.HOST_UNREACHABLE):
            return failure
        return {questions[number].key: answer for number, answer in reply.answers.items() if number < len(questions)}

    async def start(self, host: Host, order: Order) -> HostStep | Unreachable:
        """Start a step detached, or attach to it; a short one's end is told at once.

        Unreachable after the order was sent means an unknown outcome: ask. Raises ValueError for an order that cannot
        be rendered: a key or a variable that is no plain name, a word with NUL.
        """
        reply, heard = runner.Reply(), asyncio.Event()
        orders = runner.start(host, order)
        async with self._connections.zone(host):
            task = asyncio.create_task(self._converse(host, orders, reply, _TALK_LIMIT, heard))
            try:
                async with asyncio.timeout(self._settings.answer_timeout_s):
                    await heard.wait()
                await asyncio.wait({task}, timeout=self._settings.grace_s)
            except TimeoutError:
                self._connections.forget(host)
            finally:
                kept = not task.done() and 0 in reply.steps and self._keep(host, order.key, task)
                if not kept:
                    task.cancel()
        if 0 in reply.steps:
            return reply.steps[0]
        return await _failure(host, task)

    async def ask(self, host: Host, keys: Sequence[StepKey]) -> Mapping[StepKey, HostStep] | Unreachable:
        """Say how steps stand."""
        reply = runner.Reply()
        failure = await self._ask(host, runner.ask(host, keys), reply, len(keys) * _TALK_LIMIT)
        if failure:
            return failure
        if set(reply.steps) != set(range(len(keys))):
            return Unreachable(Reason.HOST_OUTPUT_INVALID, f"{host.name}: answered other questions than were asked")
        return {key: reply.steps[number] for number, key in enumerate(keys)}

    async def wait(self, host: Host, key: StepKey) -> None:
        """Return when the step has ended or the link is gone; decides nothing."""
        watch = self._watches.get((host.name, key))
        if watch:
            await asyncio.wait({watch})
            return
        async with self._slots[host.name]:
            with suppress(LinkError):
                await self._converse(host, runner.watch(host, key), runner.Reply(), _TALK_LIMIT)

    async def clean(self, host: Host, keep_runs: Sequence[str]) -> None:
        """Remove the folders of ended steps of all other runs; a host that does not answer keeps them."""
        await self._ask(host, runner.clean(host, keep_runs), runner.Reply(), _TALK_LIMIT)

    async def close(self) -> None:
        """Close all connections; what runs on hosts goes on."""
        watches = list(self._watches.values())
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
        await self._connections.close()

    async def _ask(self, host: Host, orders: str, reply: runner.Reply, limit: int) -> Unreachable | None:
        """Have read-only orders carried out within the deadline."""
        try:
            async with self._connections.zone(host), asyncio.timeout(self._settings.answer_timeout_s):
                await self._converse(host, orders, reply, limit, repeatable=True)
        except LinkError as error:
            return Unreachable(error.reason, error.text)
        except TimeoutError:
            if not reply.greeted:
                self._connections.forget(host)
            return _silent(host)
        return None

    async def _converse(
        self,
        host: Host,
        orders: str,
        reply: runner.Reply,
        limit: int,
        heard: asyncio.Event | None = None,
        *,
        repeatable: bool = False,
    ) -> None:
        """Send orders and read the whole answer; sets `heard` at the first word of it. Raises LinkError."""

        def hear(chunk: bytes) -> bool:
            reply.feed(chunk)
            if heard and reply.steps:
                heard.set()
            return reply.ended or bool(reply.broken)

        marker, shell = secrets.token_hex(8), self._settings.shell
        command, request = runner.command(host, marker, shell), runner.request(orders, marker, shell)
        try:
            ending = await self._connections.talk(host, Talk(command, request, hear, limit, repeatable))
        finally:
            if heard:
                heard.set()
        _judge(host, reply, ending)

    def _keep(self, host: Host, key: StepKey, task: asyncio.Task[None]) -> bool:
        """Keep the channel of a step that runs on, for `wait`, unless too many are kept already."""
        if self._slots[host.name].locked() or (host.name, key) in self._watches:
            return False
        watch = asyncio.create_task(_hold(self._slots[host.name], task))
        self._watches[host.name, key] = watch
        watch.add_done_callback(lambda _: self._watches.pop((host.name, key), None))
        return True


async def _hold(slot: asyncio.Semaphore, task: asyncio.Task[None]) -> None:
    try:
        async with slot:
            await asyncio.wait({task})
    finally:
        task.cancel()


async def _failure(host: Host, task: asyncio.Task[None]) -> Unreachable:
    """Say why a talk brought no answer."""
    try:
        await task
    except LinkError as error:
        return Unreachable(error.reason, error.text)
    except asyncio.CancelledError:
        return _silent(host)
    return Unreachable(Reason.HOST_OUTPUT_INVALID, f"{host.name}: did not say how the step stands")


def _silent(host: Host) -> Unreachable:
    return Unreachable(Reason.HOST_UNREACHABLE, f"{host.name}: did not answer in time")


def _judge(host: Host, reply: runner.Reply, ending: Ending | None) -> None:
    """Raise LinkError unless the answer is whole."""
    if reply.broken:
        raise LinkError(Reason.HOST_OUTPUT_INVALID, f"{host.name}: {reply.broken}")
    if reply.refused:
        raise LinkError(Reason.HOST_OUTPUT_INVALID, f"{host.name}: {reply.refused}")
    if ending is None:
        return
    if ending.status is None:
        raise LinkError(Reason.HOST_UNREACHABLE, f"{host.name}: the link was lost in mid-answer; {ending.errors}")
    by_sudo = host.login.become == "sudo" and not reply.greeted
    reason = Reason.HOST_AUTH_REFUSED if by_sudo else Reason.HOST_OUTPUT_INVALID
    raise LinkError(reason, f"{host.name}: the shell ended with {ending.status}: {ending.errors}")
