"""Stands by while another daemon holds the lease of the store, and takes it when that one has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog

from reconciler.app import App, Reload, Reread, caught, open_daemon, serve, supervisor
from reconciler.domain.reasons import Reason
from reconciler.errors import JournalError, SettingsError
from reconciler.settings import Settings
from reconciler.web.board import Board, utc_now

log = structlog.get_logger()

AGAIN_S = 1.0
"""How long it waits until it asks for the lease again."""


async def lead(settings: Settings, reread: Reread) -> Settings | None:
    """Run the daemon as soon as the lease can be had; return the settings to begin anew with, None to end.

    Raises ReconcilerError for all else that keeps it from that.
    """
    opened = _opened(settings)
    leader = await _stood_by(settings, opened, reread) if isinstance(opened, JournalError) else opened
    return await leader.run(reread) if isinstance(leader, App) else leader


def _opened(settings: Settings) -> App | JournalError:
    try:
        return open_daemon(settings)
    except JournalError as error:
        if error.reason != Reason.JOURNAL_HELD:
            raise
        return error


async def _stood_by(settings: Settings, held: JournalError, reread: Reread) -> App | Settings | None:
    """Ask for the lease again and again, and say meanwhile who has it; no App when told to end or to begin anew."""
    told_to_end, board = asyncio.Event(), Board(utc_now(), leader=str(held))
    reload = Reload(reread, board, told_to_end.set)
    log.info("standing by", text=str(held))
    supervisor().ready()
    with caught(lambda _: told_to_end.set(), reload.ask), _shown(settings, board):
        while isinstance(found := _opened(settings), JournalError):
            supervisor().beat()
            with suppress(TimeoutError):
                await asyncio.wait_for(told_to_end.wait(), AGAIN_S)
                return reload.newer
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
