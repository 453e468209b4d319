"""What every clock promises, and what the virtual one adds."""

from __future__ import annotations

import asyncio
from datetime import UTC, timedelta

import pytest

from reconciler.adapters.clock import SystemClock
from tests.fakes.clock import START, VirtualClock, settle


@pytest.mark.parametrize("clock", [SystemClock(), VirtualClock()], ids=["system", "virtual"])
async def test_tells_utc_and_returns_from_a_sleep_of_nothing(clock):
    before = clock.now()

    await clock.sleep(0)

    assert before.tzinfo is UTC
    assert clock.now() >= before


async def test_sleepers_wake_in_order_and_at_their_time():
    clock = VirtualClock()
    seen = []

    async def tick(name: str, seconds: float) -> None:
        while True:
            await clock.sleep(seconds)
            seen.append((name, (clock.now() - START).total_seconds()))

    tasks = [asyncio.create_task(tick("slow", 3)), asyncio.create_task(tick("fast", 2))]
    await clock.advance(6)
    for task in tasks:
        task.cancel()

    assert seen == [("fast", 2), ("slow", 3), ("fast", 4), ("slow", 6), ("fast", 6)]
    assert clock.now() == START + timedelta(seconds=6)


async def test_a_jump_of_the_wall_clock_wakes_nobody():
    clock = VirtualClock()
    task = asyncio.create_task(clock.sleep(10))
    await settle()

    clock.set(START + timedelta(days=1))
    await settle()

    assert not task.done()
    task.cancel()
