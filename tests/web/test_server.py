from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.domain.desired import Desired
from reconciler.domain.observation import Observations
from reconciler.domain.position import Position
from reconciler.domain.revision import SourceState
from reconciler.domain.verdict import Report
from reconciler.web.board import Board
from reconciler.web.server import ALIVE_S, make_app

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
DESIRED = Desired(fleet="f", hosts={}, services={}, groups={}, procedures={})
PLACE = Position(service="keystone", release="yoga", databases=(), hosts=())
REPORT = Report(
    at=NOW,
    source=SourceState(None),
    revision="c",
    desired=DESIRED,
    observations=Observations(),
    positions=(PLACE,),
)


def ask(board: Board, path: str, method: str = "GET", now: datetime = NOW) -> tuple[str, str]:
    said: list[str] = []
    start: Callable[..., Any] = lambda status, headers: said.append(status)  # noqa: E731
    environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "QUERY_STRING": ""}
    body = b"".join(make_app(board, lambda: now)(environ, start))
    return said[0], body.decode()


def test_a_loop_that_turns_is_alive():
    assert ask(Board(NOW), "/livez")[0] == "200 OK"
    assert ask(Board(NOW, REPORT), "/livez", now=NOW + timedelta(seconds=ALIVE_S))[0] == "200 OK"


def test_a_loop_that_stands_still_is_not():
    status, text = ask(Board(NOW, REPORT), "/livez", now=NOW + timedelta(seconds=ALIVE_S + 1))
    assert status == "503 Service Unavailable"
    assert "121 s ago" in text
    assert ask(Board(NOW), "/livez", now=NOW + timedelta(hours=1))[0].startswith("503")


def test_ready_is_source_store_and_fleet():
    assert ask(Board(NOW, REPORT), "/readyz") == ("200 OK", "[+]source ok\n[+]store ok\n[+]fleet ok\n")
    assert ask(Board(NOW), "/readyz")[0].startswith("503")
    blind = replace(REPORT, positions=())
    assert ask(Board(NOW, blind), "/readyz") == (
        "503 Service Unavailable",
        "[+]source ok\n[+]store ok\n[-]fleet not ready\n",
    )
    full = Board(NOW, REPORT, store_problem="the disk is full")
    assert "[-]store not ready" in ask(full, "/readyz")[1]
    assert "[-]source not ready" in ask(Board(NOW, replace(REPORT, desired=None)), "/readyz")[1]


def test_metrics_and_nothing_else():
    assert "reconciler_build_info" in ask(Board(NOW), "/metrics")[1]
    assert ask(Board(NOW), "/")[0] == "404 Not Found"
    assert ask(Board(NOW), "/metrics", "POST")[0] == "405 Method Not Allowed"
