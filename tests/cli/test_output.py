from __future__ import annotations

import pytest

from reconciler.cli.output import err, out, plain, say, show_error
from reconciler.errors import ReconcilerError


def test_what_others_wrote_cannot_steer_a_terminal(capsys: pytest.CaptureFixture[str]):
    say("[red]x[/] \x1b[2J\x1b]0;title\x07\u202ey\x9b1m")
    assert capsys.readouterr().out == "[red]x[/] y1m\n"
    assert plain("a\tb\nc") == "a\tb\nc"


def test_errors_go_to_stderr_line_by_line(capsys: pytest.CaptureFixture[str]):
    show_error(ReconcilerError("first [a]\nsecond", reason="R", hint="do it"))
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "error: first [a]\n       second\nhint: do it\n"


def test_long_lines_are_not_cut(capsys: pytest.CaptureFixture[str]):
    say("word " * 200)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert out().no_color
    assert err().no_color
