"""The loop: pass, publish, sleep or wake. It decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

import structlog

from reconciler.domain.reason import ENDING
from reconciler.domain.reasons import Reason, hint_of
from reconciler.domain.verdict import Report
from reconciler.errors import JournalError
from reconciler.execution.memory import Memory
from reconciler.reconcile import reconcile

log = structlog.get_logger()

Publish = Callable[[Report], Awaitable[None]]
Jitter = Callable[[], float]
Defect = Callable[[Exception], None]
Unwritten = Callable[[JournalError], None]

IDLE_S = 5.0
"""How long the loop sleeps when nobody wakes it; commands of operators wait no longer than this."""


def tell(defect: Exception) -> None:
    """Log what no pass should fail with; whoever asks for `/livez` hears of it when passes go on failing."""
    log.error("pass failed", text=f"{defect!r}; this is a defect of the daemon, please report it", exc_info=defect)


@dataclass(slots=True)
class Daemon:
    """A loop of passes, with a poll of the source beside it; wakes are coalesced.

    A pass that fails by a `defect` does not end it: it says so, and tries again. What runs on hosts goes on anyway.
    At each turn it calls `beat`, and `unwritten` with what kept a pass from the journal.
    """

    memory: Memory
    publish: Publish
    poll_s: float = 120.0
    jitter: Jitter = lambda: 0.0
    defect: Defect = tell
    beat: Callable[[], None] = lambda: None
    unwritten: Unwritten = lambda _: None
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: bool = False

    def __post_init__(self) -> None:
        """Let ended steps and sweeps wake the loop."""
        self.memory.wake = self.woken.set
        self.memory.executor.wake = self.woken.set

    async def run(self) -> None:
        """Pass after pass until told to stop; running steps go on on their hosts."""
        poll = asyncio.create_task(self._poll())
        try:
            await self._sleep()  # until it is known what is wanted, or the source is too slow to be waited for
            while not self.stopping:
                self.beat()
                await self._outlived(self._pass)
                await self._sleep()
        finally:
            poll.cancel()
            await asyncio.gather(poll, return_exceptions=True)
            await self.memory.stop()

    async def run_once(self) -> Report:
        """Pass until nothing runs and nothing may start; return the last report."""
        await self._fetch()
        try:
            while True:
                report = await self._pass()
                if self.stopping or not (report.busy or self._looking() or self._unseen(report)):
                    return report
                await self._sleep()
        finally:
            await self.memory.stop()

    def stop(self) -> None:
        """End the loop after the pass at hand, at once when it sleeps."""
        self.stopping = True
        self.woken.set()

    async def _pass(self) -> Report:
        self.woken.clear()
        try:
            report = await reconcile(self.memory)
        except JournalError as error:
            self.unwritten(error)
            raise
        await self.publish(report)
        await self._outlived(self._seal)
        return report

    async def _seal(self) -> None:
        """Seal what is old; what cannot be sealed now is tried again after the next run."""
        sealed = self.memory.seal()
        if sealed is not None:
            log.info("journal", text="a segment is sealed", checkpoint=sealed.seq)

    async def _outlived(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do it, and say what went wrong; to end is only for a journal that will never take an entry of this daemon.

        While the journal cannot be written nothing is started, and the next pass finds everything again.
        """
        try:
            await work()
        except JournalError as error:
            if error.reason in ENDING:
                raise
            log.warning("journal", reason=error.reason, text=str(error), hint=error.hint)
        except Exception as error:  # noqa: BLE001 - the loop outlives whatever it is
            self.defect(error)

    async def _sleep(self) -> None:
        """Sleep until woken; unlike `wait_for`, a timeout's block never swallows the end of the daemon with a wake."""
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_S):
                await self.woken.wait()

    def _looking(self) -> bool:
        return self.memory.looking is not None and not self.memory.looking.done()

    def _unseen(self, report: Report) -> bool:
        """Tell whether a sweep has ended that the last pass had not seen."""
        return self.woken.is_set() and report.desired is not None

    async def _poll(self) -> None:
        while True:
            await self._outlived(self._fetch)
            self.woken.set()
            await asyncio.sleep(self.poll_s + self.jitter())

    async def _fetch(self) -> None:
        history = self.memory.remember()
        before = self.memory.source
        try:
            source = await self.memory.ports.source.latest(history.accepted, history.trusted)
        except OSError as error:
            text, hint = f"cannot fetch: {error}", hint_of(Reason.SOURCE_UNREACHABLE)
            source = replace(before, problem=str(Reason.SOURCE_UNREACHABLE), text=text, hint=hint)
        self.memory.source = source
        if (source.problem, source.text) == (before.problem, before.text):
            return
        if source.problem:
            log.warning("source", reason=source.problem, text=source.text, hint=source.hint)
        elif before.revision is not None:
            log.info("source", text="the newest commit is in force again", head=source.head)
