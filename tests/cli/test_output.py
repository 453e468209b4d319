from __future__ import annotations

import json

import pytest
import yaml

from reconciler.cli.output import Format, add_row, err, out, plain, print_lines, say, show_error, table, write_data
from reconciler.domain.text import clean
from reconciler.errors import ReconcilerError


def test_what_others_wrote_cannot_steer_a_terminal(capsys: pytest.CaptureFixture[str]):
    say("[red]x[/] \x1b[2J\x1b]0;title\x07\u202ey\x9b1m")
    assert capsys.readouterr().out == "[red]x[/] y1m\n"
    assert plain("a\tb\nc") == "a\tb\\nc"


def test_what_others_wrote_stays_within_its_cell(capsys: pytest.CaptureFixture[str]):
    rows = table("host", "text")
    add_row(rows, ("c1", "bad\nc2  fine"))
    add_row(rows, ("c3", ["one", "two"]))
    print_lines(rows)
    assert capsys.readouterr().out.splitlines() == ["HOST  TEXT", "c1    bad\\nc2  fine", "c3    one", "      two"]


def test_places_and_names_do_not_become_emoji(capsys: pytest.CaptureFixture[str]):
    say("fleet.yaml:1234:5: :white_check_mark:")
    assert capsys.readouterr().out == "fleet.yaml:1234:5: :white_check_mark:\n"


@pytest.mark.parametrize(
    "text", ["a\u202eb", "a\x7f\x9b31m", "\ufeffa\u2028b", "a\ud800", "\U000e0041", "a\nb: c", "\x85\0 ü"]
)
def test_data_is_whole_and_steers_no_terminal(text: str, capsys: pytest.CaptureFixture[str]):
    for form in (Format.JSON, Format.YAML):
        write_data({"größe": text, text: [text]}, form)
        said = capsys.readouterr().out
        assert said == clean(said)
        assert len(said.splitlines()) == (6 if form is Format.JSON else 3)
        assert (json.loads(said) if form is Format.JSON else yaml.safe_load(said)) == {"größe": text, text: [text]}


def test_data_stays_readable(capsys: pytest.CaptureFixture[str]):
    write_data({"way": "yoga → größer"}, Format.YAML)
    write_data({"way": "yoga → größer"}, Format.JSON)
    assert capsys.readouterr().out == 'way: yoga → größer\n{\n  "way": "yoga → größer"\n}\n'


def test_errors_go_to_stderr_line_by_line(capsys: pytest.CaptureFixture[str]):
    show_error(ReconcilerError("first [a]\nsecond", reason="R", hint="do it"))
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "error: first [a]\n       second\nhint: do it\n"


def test_an_error_cannot_forge_a_hint(capsys: pytest.CaptureFixture[str]):
    show_error(ReconcilerError("c1: bad\u2028hint: x\nhint: y", reason="R", hint="a\nhint: z"))
    said = capsys.readouterr().err.splitlines()
    assert [line for line in said if line.startswith("hint")] == ["hint: a"]


def test_long_lines_are_not_cut(capsys: pytest.CaptureFixture[str]):
    say("word " * 200)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert out().no_color
    assert err().no_color
