"""The pages, made from what the loop has put on the board."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from reconciler.domain.text import one_line
from reconciler.web.board import Board, utc_now
from reconciler.web.line import Page
from reconciler.web.metrics import ReportCollector

log = structlog.get_logger()

ALIVE_S = 120.0
"""How old the newest pass may be; a healthy loop passes every few seconds."""


class Pages:
    """Makes a page of a name; other threads than the loop's may ask."""

    def __init__(self, board: Board, now: Callable[[], datetime] = utc_now) -> None:
        self._board, self._now = board, now
        self._registry = CollectorRegistry()
        self._registry.register(ReportCollector(board))

    def page(self, name: str) -> Page:
        """Return the page of a name of `line.NAMES`; one that cannot be made says so, and leaves the others alone."""
        try:
            return self._made(name)
        except Exception:  # else the line to who serves the network would end with it
            log.exception("page", text=f"{name} cannot be made; this is a defect, please report it")
            return Page(500, b"this page cannot be made; the daemon's log says why\n")

    def _made(self, name: str) -> Page:
        match name:
            case "metrics":
                return Page(200, generate_latest(self._registry), CONTENT_TYPE_LATEST)
            case "readyz":
                return readyz(self._board)
            case _:
                return livez(self._board, self._now())


def livez(board: Board, now: datetime) -> Page:
    """Say whether the loop turns; asks nothing of the world. One that stands by has none."""
    if board.leader:
        return Page(200, b"ok: standing by\n")
    last = board.report.at if board.report else board.started_at
    age = (now - last).total_seconds()
    if age > ALIVE_S:
        return Page(503, f"the newest pass ended {age:.0f} s ago, more than {ALIVE_S:.0f} s\n".encode())
    return Page(200, b"ok\n")


def readyz(board: Board) -> Page:
    """Say whether the daemon knows enough to act: source read, store writable, fleet looked at; or who acts."""
    if board.leader:
        return Page(503, f"[-]lease {one_line(board.leader)}\n".encode())
    report = board.report
    checks = {
        "source": report is not None and report.desired is not None,
        "store": report is not None and not board.store_problem,
        "fleet": report is not None and bool(report.positions),
    }
    lines = [f"[{'+' if good else '-'}]{name} {'ok' if good else 'not ready'}" for name, good in checks.items()]
    return Page(200 if all(checks.values()) else 503, ("\n".join(lines) + "\n").encode())
