"""`reconciler validate`: everything that is wrong with a desired state, at once, with its place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import typer

from reconciler.cli import world
from reconciler.cli.output import note
from reconciler.domain.text import one_line
from reconciler.errors import SourceError


def validate(
    path: Path = typer.Argument(help="The folder with fleet.yaml, or that file."),
    show_all: bool = typer.Option(False, "--all", help="Print every error, also beyond the first hundred."),
) -> None:
    """Check a desired state as the daemon would.

    Exit 1 when anything is wrong.
    """
    from reconciler.desired import Problems
    from reconciler.execution.read import read_files

    folder = path.parent if path.name == "fleet.yaml" and not path.is_dir() else path
    try:
        found = read_files(world.files_of(folder))
    except SourceError as error:
        if not folder.is_dir():
            raise
        for line in str(error).split("\n"):
            name, _, what = line.partition(" ")
            typer.echo(one_line(f"{folder / name}:1:1: error: {what}; {error.hint}"))
        raise typer.Exit(1) from error
    if isinstance(found, Problems):
        placed = Problems(tuple(replace(each, file=str(folder / each.file)) for each in found.items))
        typer.echo("\n".join(map(str, placed.items)) if show_all else str(placed))
        raise typer.Exit(1)
    note(f"{folder}: {len(found.services)} services on {len(found.hosts)} hosts, nothing wrong")
