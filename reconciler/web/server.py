"""Serves /metrics, /livez and /readyz on a thread of its own; it asks nobody who they are, so it stays on loopback."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from datetime import datetime
from http import HTTPStatus
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from reconciler.errors import SettingsError
from reconciler.web.board import Board, utc_now
from reconciler.web.metrics import ReportCollector

ALIVE_S = 120.0
"""How old the newest pass may be; a healthy loop passes every few seconds."""

Answer = tuple[int, str]
WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def livez(board: Board, now: datetime) -> Answer:
    """Say whether the loop turns; asks nothing of the world."""
    last = board.report.at if board.report else board.started_at
    age = (now - last).total_seconds()
    if age > ALIVE_S:
        return 503, f"the newest pass ended {age:.0f} s ago, more than {ALIVE_S:.0f} s\n"
    return 200, "ok\n"


def readyz(board: Board, _now: datetime) -> Answer:
    """Say whether the daemon knows enough to act: source read, store writable, fleet looked at."""
    report = board.report
    checks = {
        "source": report is not None and report.desired is not None,
        "store": report is not None and not board.store_problem,
        "fleet": report is not None and bool(report.positions),
    }
    lines = [f"[{'+' if good else '-'}]{name} {'ok' if good else 'not ready'}" for name, good in checks.items()]
    return (200 if all(checks.values()) else 503), "\n".join(lines) + "\n"


def make_app(board: Board, now: Callable[[], datetime] = utc_now) -> WsgiApp:
    """Return the WSGI application."""
    registry = CollectorRegistry()
    registry.register(ReportCollector(board))
    metrics = make_wsgi_app(registry)
    pages: dict[str, Callable[[Board, datetime], Answer]] = {"/livez": livez, "/healthz": livez, "/readyz": readyz}

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if environ.get("REQUEST_METHOD") not in {"GET", "HEAD"}:
            return _answer(start, 405, "only GET\n")
        if path == "/metrics":
            page: Iterable[bytes] = metrics(environ, start)
            return page
        if path in pages:
            return _answer(start, *pages[path](board, now()))
        return _answer(start, 404, "there are /metrics, /livez and /readyz\n")

    return app


def _answer(start: Callable[..., Any], code: int, text: str) -> list[bytes]:
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(text.encode())))]
    start(f"{code} {HTTPStatus(code).phrase}", headers)
    return [text.encode()]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    address_family = socket.AF_INET


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = 10  # seconds that a client may keep a thread waiting

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Scrapes are not worth a line."""

    def address_string(self) -> str:
        """Ask no name server who this is."""
        return str(self.client_address[0])


def serve(address: tuple[str, int], board: Board) -> WSGIServer:
    """Begin to serve; raises SettingsError when the address cannot be had."""
    host, port = address
    try:
        server = make_server(
            host, port, make_app(board), server_class=_Server6 if ":" in host else _Server, handler_class=_Handler
        )
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host}:{port}: {error.strerror}",
            reason="SettingsInvalid",
            hint="Another daemon may run here; `web.listen` names another port.",
        ) from error
    Thread(target=server.serve_forever, name="web", daemon=True).start()
    return server
