"""Blocking calls of C libraries, beside the event loop and with a deadline."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar, cast

T = TypeVar("T")


async def in_thread(work: Callable[[], T], timeout_s: float) -> T:
    """Run `work` in a thread of its own and return what it returns; raises what it raises, or TimeoutError.

    Nobody can stop a thread: after a timeout it goes on and its result is dropped. Unlike those of `asyncio.to_thread`
    it is a daemon thread, so that a call that hangs does not keep the process from ending.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(error: BaseException | None, value: T | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(cast("T", value))  # without an error there is a value

    def run() -> None:
        error: BaseException | None = None
        value: T | None = None
        try:
            value = work()
        except BaseException as caught:  # noqa: BLE001 - handed on to the waiting coroutine
            error = caught
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(settle, error, value)

    threading.Thread(target=run, daemon=True, name="reconciler-work").start()
    return await asyncio.wait_for(future, timeout_s)
