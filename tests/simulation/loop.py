"""An event loop whose time stands still while anything can run, and then jumps to the next deadline."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from tests.fakes.clock import START


class DeadlockError(Exception):
    """Everybody waits, and nobody ever will wake them."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs without a system clock, sockets, signals or threads: what happens, happens in one order."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._selector = self

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

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0))
