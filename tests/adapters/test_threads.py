from __future__ import annotations

import threading

import pytest

from reconciler.adapters.threads import in_thread


async def test_the_result_comes_back_from_another_thread():
    assert await in_thread(threading.get_ident, 5) != threading.get_ident()


async def test_an_error_comes_back():
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 // 0, 5)


async def test_a_call_that_hangs_is_left_behind():
    release = threading.Event()
    with pytest.raises(TimeoutError):
        await in_thread(release.wait, 0.05)
    release.set()
