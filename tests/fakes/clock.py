"""Time that passes only when a test says so."""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)


class VirtualClock:
    """Stands still until `advance`; sleepers wake in the order of their deadlines."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self._began = now
        self._sleepers: list[tuple[datetime, int, asyncio.Event]] = []
        self._count = 0

    def now(self) -> datetime:
        return self._now

    def elapsed_s(self) -> float:
        return (self._now - self._began).total_seconds()

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.Event()
        self._count += 1
        heapq.heappush(self._sleepers, (self._now + timedelta(seconds=seconds), self._count, woken))
        await woken.wait()

    def set(self, now: datetime) -> None:
        """Jump, as a wall clock does, without waking anybody."""
        self._began += now - self._now
        self._now = now

    async def advance(self, seconds: float) -> None:
        """Let time pass; those who wake on the way run, and may sleep again, before it goes on."""
        goal = self._now + timedelta(seconds=seconds)
        await settle()
        while self._sleepers and self._sleepers[0][0] <= goal:
            deadline, _, woken = heapq.heappop(self._sleepers)
            self._now = max(self._now, deadline)
            woken.set()
            await settle()
        self._now = goal

    @property
    def sleepers(self) -> int:
        """How many wait."""
        return len(self._sleepers)


async def settle(turns: int = 20) -> None:
    """Give every task that can run some turns of the event loop."""
    for _ in range(turns):
        await asyncio.sleep(0)
