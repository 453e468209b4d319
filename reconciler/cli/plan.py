"""`reconciler plan`: what would be done, from a folder and a recorded observation, or by the daemon."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import typer

from reconciler.cli import world
from reconciler.cli.output import Config, Format, print_lines, usage, write_data
from reconciler.cli.plan_markdown import markdown_of
from reconciler.cli.plan_tree import tree_of
from reconciler.planning.preview import Preview, plans_to_json, preview

CHANGES = 2


class Shape(StrEnum):
    """The ways a plan is written."""

    TREE = "tree"
    JSON = "json"
    MARKDOWN = "markdown"
    YAML = "yaml"


def plan(
    folder: Path | None = typer.Argument(None, metavar="[DIR]", help="The folder with fleet.yaml; none: the daemon's."),
    observed: Path | None = typer.Option(None, help="What `reconciler observe -o json` wrote; with DIR only."),
    detailed_exitcode: bool = typer.Option(
        False,
        "--detailed-exitcode",
        help="Exit 0: nothing to do, 1: blocked, 2: changes.",
    ),
    output: Shape = typer.Option(Shape.TREE, "--output", "-o", help="How the plan is written."),
    config: Path | None = Config,
) -> None:
    """Show what would be done, without doing it."""
    found = _previews(folder, observed, config)
    _write(found, output)
    if detailed_exitcode:
        raise typer.Exit(exit_code(found))


def exit_code(found: Sequence[Preview]) -> int:
    """Return 0 when nothing is to be done, 1 when a group is blocked, 2 when there are changes."""
    plans = [each.plan for each in found if each.plan is not None]
    if any(each.blocked for each in plans):
        return 1
    return CHANGES if any(each.steps for each in plans) else 0


def _previews(folder: Path | None, observed: Path | None, config: Path | None) -> Sequence[Preview]:
    if folder is None and observed is None:
        return world.daemons_plans(config)
    if folder is None or observed is None:
        usage("DIR and --observed FILE belong together; `reconciler observe -o json > FILE` writes one")
    from reconciler.catalog.load import load_catalog

    desired = world.read_folder(folder)
    return preview(desired, load_catalog(desired.catalog), world.read_observed(observed))


def _write(found: Sequence[Preview], output: Shape) -> None:
    plans = [each.plan for each in found if each.plan is not None]
    match output:
        case Shape.TREE:
            for each in found:
                print_lines(tree_of(each))
        case Shape.MARKDOWN:
            typer.echo(markdown_of(found), nl=False)
        case _:
            write_data(plans_to_json(plans), Format(output))
