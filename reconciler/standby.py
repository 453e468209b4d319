"""Stands by while another daemon holds the lease of the store, and takes it when that one has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog

from reconciler.app import App, caught, open_daemon, serve, supervisor
from reconciler.domain.reasons import Reason
from reconciler.errors import JournalError, SettingsError
from reconciler.settings import Settings
from reconciler.web.board import Board, utc_now

log = structlog.get_logger()

AGAIN_S = 1.0
"""How long it waits until it asks for the lease again."""


async def lead(settings: Settings) -> None:
    """Run the daemon as soon as the lease can be had; raises ReconcilerError for all else that keeps it from that."""
    opened = _opened(settings)
    leader = await _stood_by(settings, opened) if isinstance(opened, JournalError) else opened
    if leader is not None:
        await leader.run()


def _opened(settings: Settings) -> App | JournalError:
    try:
        return open_daemon(settings)
    except JournalError as error:
        if error.reason != Reason.JOURNAL_HELD:
            raise
        return error


async def _stood_by(settings: Settings, held: JournalError) -> App | None:
    """Ask for the lease again and again, and say meanwhile who has it; None when told to end."""
    told_to_end = asyncio.Event()
    log.info("standing by", text=str(held))
    supervisor().ready()
    with caught(lambda _: told_to_end.set()), _shown(settings, Board(utc_now(), leader=str(held))):
        while isinstance(found := _opened(settings), JournalError):
            supervisor().beat()
            with suppress(TimeoutError):
                await asyncio.wait_for(told_to_end.wait(), AGAIN_S)
                return None
    log.info("leading", text="the daemon before has ended; this one holds the lease now")
    return found


@contextmanager
def _shown(settings: Settings, board: Board) -> Iterator[None]:
    """Show the board to the network, unless the leader shows its own at the same address or socket."""
    web = None
    try:
        web = None if settings.web.socket else serve(settings, board)
    except SettingsError as error:
        log.info("standing by", text=f"{error}; only the leader can be asked there")
    try:
        yield
    finally:
        if web is not None:
            web.close()
