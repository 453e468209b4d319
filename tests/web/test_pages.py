from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reconciler.domain.desired import Desired
from reconciler.domain.observation import Observations
from reconciler.domain.position import Position
from reconciler.domain.revision import SourceState
from reconciler.domain.verdict import Report
from reconciler.web.board import Board
from reconciler.web.pages import ALIVE_S, Pages

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


def ask(board: Board, name: str, now: datetime = NOW) -> tuple[int, str]:
    page = Pages(board, lambda: now).page(name)
    return page.code, page.body.decode()


def test_a_loop_that_turns_is_alive():
    assert ask(Board(NOW), "livez")[0] == 200
    assert ask(Board(NOW, REPORT), "livez", now=NOW + timedelta(seconds=ALIVE_S))[0] == 200


def test_a_loop_that_stands_still_is_not():
    status, text = ask(Board(NOW, REPORT), "livez", now=NOW + timedelta(seconds=ALIVE_S + 1))
    assert status == 503
    assert "121 s ago" in text
    assert ask(Board(NOW), "livez", now=NOW + timedelta(hours=1))[0] == 503


def test_ready_is_source_store_and_fleet():
    assert ask(Board(NOW, REPORT), "readyz") == (200, "[+]source ok\n[+]store ok\n[+]fleet ok\n")
    assert ask(Board(NOW), "readyz")[0] == 503
    blind = replace(REPORT, positions=())
    assert ask(Board(NOW, blind), "readyz") == (
        503,
        "[+]source ok\n[+]store ok\n[-]fleet not ready\n",
    )
    full = Board(NOW, REPORT, store_problem="the disk is full")
    assert "[-]store not ready" in ask(full, "readyz")[1]
    assert "[-]source not ready" in ask(Board(NOW, replace(REPORT, desired=None)), "readyz")[1]


def test_metrics_are_those_of_the_board():
    assert "reconciler_build_info" in ask(Board(NOW), "metrics")[1]


def test_one_that_stands_by_lives_and_says_who_leads():
    board = Board(NOW, leader="another daemon holds the store: pid 7 on here")
    assert ask(board, "livez", NOW + timedelta(days=1))[0] == 200
    code, text = ask(board, "readyz")
    assert (code, "pid 7" in text) == (503, True)
    assert "reconciler_leader 0.0" in ask(board, "metrics")[1]


def test_a_page_that_cannot_be_made_is_told_and_leaves_the_others_alone():
    odd = Board(NOW, REPORT)  # a position of a service that nobody desires
    assert ask(odd, "metrics") == (500, "this page cannot be made; the daemon's log says why\n")
    assert ask(odd, "readyz")[0] == 200
