"""How verbs speak: results on stdout, progress and errors on stderr, JSON and YAML that machines may rely on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import NoReturn

import typer
import yaml
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from reconciler.domain.text import clean_text
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


MAX_TEXT = 1 << 20
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
    """Make a text fit for a terminal, whoever wrote it: no markup, no escapes, no control characters."""
    return escape(clean_text(text.encode(errors="replace"), MAX_TEXT))


def out() -> Console:
    """Return the console for results."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


def err() -> Console:
    """Return the console for progress and errors."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def write_data(value: object, form: Format) -> None:
    """Write a JSON value on stdout as JSON or YAML."""
    if form is Format.YAML:
        text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120)
    else:
        text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    typer.echo(text, nl=False)


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
        console.print(made)
    typer.echo("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()), nl=False)


def add_row(to: Table, cells: Sequence[object], style: str = "") -> None:
    """Add a row of texts that are never read as markup."""
    to.add_row(*(plain(str(cell)) for cell in cells), style=style)


def say(text: str, style: str = "") -> None:
    """Write a line of a result."""
    out().print(plain(text), style=style or None, soft_wrap=True)


def note(text: str) -> None:
    """Write a line of progress."""
    err().print(plain(text), style="dim")


def show_error(error: ReconcilerError) -> None:
    """Write what happened and what to do."""
    console = err()
    first, *more = str(error).splitlines() or [error.reason]
    console.print(f"[bold red]error:[/] {plain(first)}")
    for line in more:
        console.print(plain(f"       {line}"))
    if error.hint:
        console.print(f"[bold]hint:[/] {plain(error.hint)}")


def usage(text: str) -> NoReturn:
    """End with exit code 2: the command line makes no sense."""
    raise typer.BadParameter(text)
