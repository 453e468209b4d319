"""An event loop whose time stands still while anything can run, and then jumps to the next deadline."""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import ContextVar
from datetime import datetime, timedelta

from tests.fakes.clock import START


class DeadlockError(Exception):
    """Everybody waits, and nobody ever will wake them."""


PROCESS: ContextVar[int] = ContextVar("PROCESS", default=0)
"""Which daemon runs; 0 is the world around them."""


class _Nothing:
    _cancelled = True


class Ready(deque[asyncio.Handle | _Nothing]):
    """What may run now; what a stopped process would run is kept for it."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped: dict[int, list[asyncio.Handle | _Nothing]] = {}

    def popleft(self) -> asyncio.Handle | _Nothing:
        handle = super().popleft()
        waiting = self.stopped.get(handle._context[PROCESS]) if self.stopped and PROCESS in handle._context else None
        if waiting is None:
            return handle
        waiting.append(handle)
        return _Nothing()


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs without a system clock, sockets, signals or threads: what happens, happens in one order."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._selector = self
        self._ready = Ready()

    def time(self) -> float:
        return self._now

    def select(self, timeout: float | None) -> tuple[()]:
        """Wait, as a selector does, by letting so much time go by."""
        if timeout is None:
            raise DeadlockError
        self._now += timeout
        return ()

    def jump(self, seconds: float) -> None:
        """Let time go by at once, as for a machine that was paused: all that is due comes late, and together."""
        self._now += seconds

    def stop_process(self, number: int) -> None:
        """Stop a daemon as SIGSTOP does, in the middle of whatever it does: time goes on without it."""
        self._ready.stopped.setdefault(number, [])

    def continue_process(self, number: int) -> None:
        """Let a stopped daemon go on where it stood; all that is due comes late, and together."""
        self._ready.extend(self._ready.stopped.pop(number, ()))

    def _process_events(self, event_list: object) -> None:
        """Have none."""

    def _write_to_self(self) -> None:
        """Have nobody in another thread to be woken by."""


class LoopClock:
    """The wall clock that goes with a loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop

    def now(self) -> datetime:
        return START + timedelta(seconds=self.loop.time())

    def elapsed_s(self) -> float:
        return self.loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0))
