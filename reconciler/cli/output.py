"""How verbs speak: results on stdout, progress and errors on stderr, JSON and YAML that machines may rely on."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import NoReturn

import typer
import yaml
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table

from reconciler.domain.text import escaped, indented, one_line
from reconciler.errors import ReconcilerError

STYLES = {
    "InSync": "green",
    "Progressing": "cyan",
    "Waiting": "cyan",
    "Blocked": "yellow",
    "Suspended": "yellow",
    "BackingOut": "magenta",
    "Halted": "bold red",
}

PIPE_WIDTH = 160
"""Columns of tables and trees where no terminal has a width of its own."""


class Format(StrEnum):
    """The ways a result is written."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


Config = typer.Option(
    None,
    "--config",
    "-c",
    envvar="RECONCILER_CONFIG",
    help="The daemon's settings; else /etc/reconciler/reconciler.toml.",
)
Folder = typer.Option(None, "--dir", help="Take the desired state from this folder instead of the source.")
Output = typer.Option(Format.TABLE, "--output", "-o", help="How the result is written.")


def plain(text: str) -> str:
    """Make a text fit for one line of a terminal, whoever wrote it: no markup, no escapes, no lines of its own."""
    return escape(one_line(text))


def prose(text: str) -> str:
    """Make a text fit that may have lines, as the output of a step has: all but the first are indented."""
    return escape(indented(text))


def out() -> Console:
    """Return the console for results."""
    console = Console(highlight=False, emoji=False)
    return console if console.is_terminal else Console(highlight=False, emoji=False, width=PIPE_WIDTH)


def err() -> Console:
    """Return the console for progress and errors."""
    return Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def write_data(value: object, form: Format) -> None:
    """Write a JSON value on stdout as JSON or YAML."""
    typer.echo(_yaml(value) if form is Format.YAML else f"{to_json(value, indent=2)}\n", nl=False)


def to_json(value: object, *, indent: int | None = None) -> str:
    """Write a JSON value; what a terminal would obey or hide is escaped in it."""
    return escaped(json.dumps(value, indent=indent, ensure_ascii=False))


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines in one, as JSON does."""


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if "\n" in text else None),
)


def _yaml(value: object) -> str:
    """Write a JSON value; PyYAML escapes bidirectional and invisible characters only where it escapes all but ASCII."""

    def dump(*, allow_unicode: bool) -> str:
        text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=allow_unicode, width=sys.maxsize)
        return text

    readable = dump(allow_unicode=True)
    return readable if escaped(readable) == readable else dump(allow_unicode=False)


def table(*columns: str) -> Table:
    """Begin a plain table, as wide as its text."""
    made = Table(box=None, pad_edge=False, show_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column.upper(), overflow="fold")
    return made


def print_lines(made: RenderableType) -> None:
    """Write a table or tree; where no terminal shows it, without the blanks that fill up its lines."""
    console = out()
    if console.is_terminal:
        console.print(made)
        return
    with console.capture() as captured:
        for each in made.renderables if isinstance(made, Group) else [made]:
            console.print(each, soft_wrap=isinstance(each, str))  # what was wrapped would begin a line
    typer.echo("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()), nl=False)


def add_row(to: Table, cells: Sequence[object], style: str = "") -> None:
    """Add a row of texts that are never read as markup; a cell that is a list has a line for each of its texts."""
    to.add_row(*map(_cell, cells), style=style)


def _cell(cell: object) -> str:
    return "\n".join(plain(str(each)) for each in (cell if isinstance(cell, list) else [cell]))


def say(text: str, style: str = "") -> None:
    """Write a sentence of a result."""
    out().print(prose(text), style=style or None, soft_wrap=True)


def note(text: str) -> None:
    """Write a line of progress."""
    err().print(prose(text), style="dim")


def show_error(error: ReconcilerError) -> None:
    """Write what happened and what to do."""
    console = err()
    console.print(f"[bold red]error:[/] {prose(str(error) or error.reason)}")
    if error.hint:
        console.print(f"[bold]hint:[/] {prose(error.hint)}")


def usage(text: str) -> NoReturn:
    """End with exit code 2: the command line makes no sense."""
    raise typer.BadParameter(text)
