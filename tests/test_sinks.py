"""One rule per kind of sink: what hosts, databases and git say comes out as text, and as nothing else."""

from __future__ import annotations

import ast
import asyncio
import html
import io
import json
import logging
import re
import sqlite3
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pygit2
import pytest
import structlog
import yaml
from markdown_it import MarkdownIt
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from reconciler.adapters.databases import SqlDatabases
from reconciler.adapters.git import GitSource
from reconciler.adapters.git_revert import write_revert
from reconciler.adapters.log import configure
from reconciler.adapters.redactor import Redactor
from reconciler.adapters.runner import Reply
from reconciler.cli.events import event_of, write_events
from reconciler.cli.output import Format, add_row, note, print_lines, say, show_error, table, write_data
from reconciler.cli.plan_markdown import markdown_of
from reconciler.cli.plan_tree import tree_of
from reconciler.cli.status import picture
from reconciler.desired import Problem
from reconciler.domain.chain import from_lines, seal, to_line
from reconciler.domain.desired import Database
from reconciler.domain.journal import GENESIS, Draft, Kind
from reconciler.domain.observation import Known, Observations, Unknown
from reconciler.domain.outcome import Exited, Failed
from reconciler.domain.plan import Block, Plan
from reconciler.domain.route import Hop, HopGate, HopKind, Reason, Route, RoutePolicy
from reconciler.domain.schema import SchemaMarker
from reconciler.domain.text import INDENT, MAX_LINES, clean
from reconciler.errors import ReconcilerError
from reconciler.planning.preview import Preview
from reconciler.steps import Evidence
from reconciler.steps._judge import by_exit
from reconciler.web.board import Board
from reconciler.web.metrics import ReportCollector
from reconciler.web.pages import Pages
from tests.support.gitrepo import GitRepo
from tests.web.test_pages import NOW, REPORT

QUIET = "QQ"
"""A text that does nobody any harm: where it comes out, a hostile one does."""

BREAK = "\N{SYMBOL FOR NEWLINE}"
"""Where a line break came in: each kind of sink has its own way to show one."""

HOSTILE = {
    "line break": ("a\nhint: forged", f"a{BREAK}hint: forged"),
    "carriage return": ("a\rhint: forged", "ahint: forged"),
    "line separators": ("a\u2028b\u2029c\x85d\x0be\x0cf", "abcdef"),
    "colours": ("\x1b[2J\x1b[31mred\x1b[0m", "red"),
    "controls of 8 bits": ("\x9b2J\x9d0;t\x9cx", "2J0;tx"),
    "a link": ("\x1b]8;;http://evil\x07here\x1b]8;;\x1b\\", "here"),
    "a title without end": ("\x1b]0;title", "0;title"),
    "bidirectional": ("a\u202egpj.exe\u2066", "agpj.exe"),
    "invisible": ("a\u200bb\ufeffc\U000e0041", "abc"),
    "NUL": ("a\0b\x7f", "ab"),
    "a lone surrogate": ("a\ud800b", "ab"),
    "Markdown": ("`a` **b** _c_ [d](http://e) ![f](g) | h | ~~i~~ #1 @ada \\*j\\*", None),
    "a list": ("- a", None),
    "HTML": ("<script>alert('&amp;')</script><!-- -->", None),
    "markup of rich": ("[bold red]a[/] [link=http://e]b[/link]", None),
    "emoji": (":white_check_mark: fleet.yaml:1234:5", None),
    "quotes": ("a\" b' {c} %s $d ${e} `f`", None),
}
SHOWN = {name: (raw, raw if shown is None else shown) for name, (raw, shown) in HOSTILE.items()}
LONG = "x" * (1 << 20)


# ---------------------------------------------------------------- where texts come from


def nobody_cleaned_it(text: str, place: Path) -> str:
    return text


def output_of_a_host(text: str, place: Path) -> str:
    raw = text.encode("utf-8", "surrogatepass")
    reply = Reply()
    reply.feed(b"reconciler 1\n" + b64encode(raw) + b"\n0 exited 1\nend of answer\n")
    exited = reply.steps[0]
    assert isinstance(exited, Exited)
    failed = by_exit(Evidence(exited, {}))
    assert isinstance(failed, Failed)
    return failed.text


def author_of_a_commit(text: str, place: Path) -> str:
    repository = repository_at(place)
    name = text.encode("utf-8", "surrogatepass").replace(b"\n", b"").replace(b"\0", b"")  # git's own form has neither
    written(repository, name, b"change")
    revision = source(repository, place).revision
    assert revision is not None
    return revision.author


def name_of_a_branch(text: str, place: Path) -> str:
    """Git lets no branch bear controls, blanks and `[:?*^~\\`; all else may stand in its name."""
    repository = repository_at(place)
    name = "".join(char for char in text if char.isprintable() and char not in " [:?*^~\\")[:60].strip("/.") or "-"
    written(repository, b"Ada", b"change", branch=name)
    return source(repository, place).text


def marker_in_a_database(text: str, place: Path) -> str:
    file = place / "db.sqlite"
    file.unlink(missing_ok=True)
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE migrate_version (repository_id TEXT, version INTEGER)")
        raw = text.encode("utf-8", "surrogatepass")
        connection.execute("INSERT INTO migrate_version VALUES (CAST(? AS TEXT), 'none')", (raw,))
    connection.close()
    seen = asyncio.run(SqlDatabases().marker(Database(name="main", url=f"sqlite:///{file}"), None))
    assert isinstance(seen, Unknown)
    return seen.text


SOURCES = (nobody_cleaned_it, output_of_a_host, author_of_a_commit, name_of_a_branch, marker_in_a_database)


def repository_at(place: Path) -> GitRepo:
    place.mkdir(parents=True, exist_ok=True)
    return GitRepo(place / f"{len(list(place.iterdir()))}.git")


def written(repository: GitRepo, author: bytes, message: bytes, *parents: str, branch: str = "main") -> str:
    """Write a commit past git's own checks, as somebody who attacks would."""
    tree = repository.files({"fleet.yaml": b"a: b\n" * (1 + len(parents))})
    who = author + b" <a@b> 1700000000 +0000\n"
    lines = [b"tree " + tree.encode(), *(b"parent " + each.encode() for each in parents)]
    raw = b"\n".join([*lines, b"author " + who + b"committer " + who, message])
    commit = repository.git("hash-object", "-w", "-t", "commit", "--literally", "--stdin", data=raw)
    pygit2.Repository(str(repository.path)).references.create(f"refs/heads/{branch}", commit, force=True)
    return commit


def source(repository: GitRepo, place: Path) -> Any:
    return asyncio.run(GitSource(str(repository.path), "main", repository.path.with_suffix(".mirror")).latest(""))


# ---------------------------------------------------------------- where they go


@dataclass(frozen=True)
class World:
    """What a sink may write to; `said` returns what came on stdout and stderr since it was asked last."""

    said: Callable[[], str]
    place: Path


Sink = Callable[[str, World], str]


def log_line(text: str, form: str) -> str:
    stream = io.StringIO()
    configure(form, "info", Redactor(), stream)
    structlog.get_logger("reconciler").info("ended", text=text, last="ours")
    return stream.getvalue()


def log_as_json(text: str, world: World) -> str:
    (line,) = log_line(text, "json").splitlines()
    said: str = json.loads(line)["text"]
    return said


def log_on_console(text: str, world: World) -> str:
    (line,) = log_line(text, "console").splitlines()
    said = line.partition(" text=")[2].removesuffix(" last=ours")
    return ast.literal_eval(said) if said[0] in "'\"" else said


def problem_of_a_file(text: str, world: World) -> str:
    return str(Problem(text, 1, 2, text, text))


def cell_of_a_table(text: str, world: World) -> str:
    rows = table("host", "text")
    add_row(rows, ("c1", text))
    print_lines(rows)
    return re.sub(r"\n {6}", " ", world.said())  # a cell is folded below itself


def status_of_a_commit(text: str, world: World) -> str:
    told = {"reason": "SourceInvalid", "text": text, "hint": "Mend it."}
    print_lines(picture({**STATUS, "problems": [told]}, NOW))
    return world.said()


def event(text: str, world: World) -> str:
    body = {"attempt": 1, "outcome": "failed", "reason": "StepFailed", "text": text, "hint": "h"}
    found = event_of(seal(Draft(Kind.RESULT, "g", "r", "s", body), 1, NOW, GENESIS))
    assert found is not None
    write_events([found], Format.TABLE)
    return world.said()


def tree_of_a_plan(text: str, world: World) -> str:
    plan = Plan(id="p", group="g", inputs="i", services=(), blocked=(Block("R", text, "h"),))
    print_lines(tree_of(Preview("g", plan)))
    return re.sub(r"\n {4}(?=[^ └])", " ", world.said())  # a branch is folded below itself


def page_of_readiness(text: str, world: World) -> str:
    return Pages(Board(NOW, leader=text)).page("readyz").body.decode()


def label_of_a_metric(text: str, world: World) -> str:
    marker = SchemaMarker(alembic=frozenset({text}), migrate=None, tables=1)
    seen = Observations(databases={("keystone", "main"): Known(marker, NOW)})
    registry = CollectorRegistry()
    registry.register(ReportCollector(Board(NOW, replace(REPORT, observations=seen, positions=()))))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    (sample,) = [each for family in families for each in family.samples if each.name == "reconciler_schema_info"]
    return sample.labels["version"]


def sentence(text: str, world: World) -> str:
    say(f"c1: {text}")
    note(f"c1: {text}")
    return world.said()


def error(text: str, world: World) -> str:
    show_error(ReconcilerError(f"c1: {text}", reason="R", hint=f"do {text}"))
    return world.said()


def status_of_a_halt(text: str, world: World) -> str:
    halt = {"id": "h1", "scope": "g", "reason": "R", "text": text, "hint": "Look.", "since": "now"}
    print_lines(picture({**STATUS, "halts": [halt]}, NOW))
    return world.said()


def markdown(text: str, world: World) -> str:
    """Return what a forge makes of a plan."""
    hop = Hop(
        start="a",
        goal="b",
        kind=HopKind.DIRECT,
        reasons=(Reason(rule="r", text=text, source="s"),),
        gates=(HopGate(id="g", text=text),),
    )
    route = Route(service="keystone", start="a", goal="b", policy=RoutePolicy.OFFLINE, hops=(hop,))
    plan = Plan(id="p", group="g", inputs="i", services=(), blocked=(Block("R", text, text),))
    said = markdown_of([Preview("g", plan, (route,))]).replace("\N{ZERO WIDTH SPACE}", "")
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(said)


IN_ONE_LINE = (
    log_as_json,
    log_on_console,
    problem_of_a_file,
    cell_of_a_table,
    status_of_a_commit,
    event,
    tree_of_a_plan,
    page_of_readiness,
    label_of_a_metric,
)
SINKS: dict[Sink, str] = {
    **dict.fromkeys(IN_ONE_LINE, "\\n"),
    **dict.fromkeys((sentence, error, status_of_a_halt), f"\n{INDENT}"),
    markdown: " ",
}
"""Every sink for people, and what it makes of a line break."""

STATUS: dict[str, Any] = {
    "at": NOW.isoformat(),
    "fleet": "f",
    "revision": "",
    "hosts": {"known": 0, "total": 0},
    "source": {"problem": "", "text": "", "hint": "", "head": "c"},
    **{name: [] for name in ("problems", "services", "stalls", "halts", "suspensions", "remaining")},
}


@pytest.fixture
def world(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[World]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    hooks = sys.excepthook, threading.excepthook

    def said() -> str:
        captured = capsys.readouterr()
        return captured.out + captured.err

    yield World(said, tmp_path)
    root.handlers, root.level = handlers, level
    sys.excepthook, threading.excepthook = hooks
    structlog.reset_defaults()


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("source", SOURCES)
def test_a_hostile_text_comes_out_as_text(source: Callable[[str, Path], str], name: str, world: World):
    raw, shown = SHOWN[name]
    text = source(raw, world.place)
    if source is not nobody_cleaned_it:
        assert clean(text) == text
        shown = text.replace("\n", BREAK)
    for sink, line_break in SINKS.items():
        said = sink(text, world)
        assert clean(said) == said
        assert said == sink(QUIET, world).replace(QUIET, fitting(shown, sink).replace(BREAK, line_break)), sink


def fitting(shown: str, sink: Sink) -> str:
    return html.escape(shown, quote=False).replace('"', "&quot;") if sink is markdown else shown


@pytest.mark.parametrize("sink", SINKS)
def test_what_is_very_long_is_cut(sink: Sink, world: World):
    said = sink(LONG, world)
    assert "more characters)" in said
    assert len(said) < 8 * MAX_LINES
    if sink not in {cell_of_a_table, tree_of_a_plan}:  # which fold it below itself, into its own column
        assert len(said.splitlines()) == len(sink(QUIET, world).splitlines())


@pytest.mark.parametrize("source", SOURCES[1:])
def test_what_is_very_long_does_not_come_in(source: Callable[[str, Path], str], tmp_path: Path):
    assert len(source(LONG, tmp_path)) <= MAX_LINES + 100


# ---------------------------------------------------------------- what machines read


def as_json(text: str, world: World) -> str:
    write_data({"a": [text]}, Format.JSON)
    return world.said()


def as_yaml(text: str, world: World) -> str:
    write_data({"a": [text]}, Format.YAML)
    return world.said()


def as_event(text: str, world: World) -> str:
    write_events([{"a": text}], Format.JSON, follow=True)
    return world.said()


def in_the_journal(text: str, world: World) -> str:
    line = to_line(seal(Draft("k", body={"a": text}), 1, NOW, GENESIS))
    assert isinstance(from_lines([line]), list)
    body: str = line["body"]
    return body


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("sink", [as_json, as_yaml, as_event, in_the_journal])
def test_a_hostile_text_reaches_a_machine_whole(sink: Sink, name: str, world: World):
    raw, _ = SHOWN[name]
    said = sink(raw, world)
    assert clean(said) == said
    assert len(said.splitlines()) == len(sink(QUIET, world).splitlines())
    (value,) = yaml.safe_load(said).values() if sink is as_yaml else json.loads(said).values()
    assert value in (raw, [raw])


def subject_of_a_revert(text: str, place: Path) -> str:
    repository = repository_at(place)
    first = written(repository, b"Ada", b"Begin")
    message = text.encode("utf-8", "surrogatepass").replace(b"\0", b"")  # which no commit holds
    bad = written(repository, b"Ada", b"\n" + message, first)
    for key, value in (("name", "Ada"), ("email", "ada@example.org")):
        repository.git("config", f"user.{key}", value)
    made = write_revert(repository.path, bad, "main", "back")
    title, empty, rest = pygit2.Repository(str(repository.path))[made].raw_message.decode().split("\n", 2)
    assert (empty, rest) == ("", f"This reverts commit {bad}.\n")
    return title


@pytest.mark.parametrize("name", sorted(set(SHOWN) - {"a lone surrogate"}))  # which no UTF-8 holds
def test_a_revert_names_what_it_reverts_in_one_line(name: str, tmp_path: Path):
    raw, shown = SHOWN[name]
    title = subject_of_a_revert(raw, tmp_path)
    assert title == f'Revert "{shown.partition(BREAK)[0]}"'
    assert len(subject_of_a_revert(LONG, tmp_path)) < 300
