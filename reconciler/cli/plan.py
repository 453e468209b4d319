"""`reconciler plan`: what would be done, from a folder and a recorded observation, or by the daemon."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import typer

from reconciler.cli import world
from reconciler.cli.output import Config, Format, print_lines, usage, write_data
from reconciler.cli.plan_markdown import markdown_of
from reconciler.cli.plan_tree import tree_of
from reconciler.planning.durations import Durations, durations_of
from reconciler.planning.plan_json import legs, plans_to_json
from reconciler.planning.preview import Preview, preview

CHANGES = 2
Found = tuple[Sequence[Preview], Durations]


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
    steps: bool = typer.Option(False, "--steps", "-v", help="Every step: what runs, what proves it, how it is undone."),
    history: Path | None = typer.Option(
        None, help="What `reconciler history -n 0 -o json` wrote, for how long steps took; with DIR only."
    ),
    output: Shape = typer.Option(Shape.TREE, "--output", "-o", help="How the plan is written."),
    config: Path | None = Config,
) -> None:
    """Show what would be done, without doing it."""
    with world.uncollected():
        found = _found(folder, observed, history, config)
        _write(found, output, steps=steps)
    if detailed_exitcode:
        raise typer.Exit(exit_code(found[0]))


def exit_code(found: Sequence[Preview]) -> int:
    """Return 0 when nothing is to be done, 1 when a group is blocked, 2 when there are changes."""
    plans = [each.plan for each in found if each.plan is not None]
    if any(each.blocked for each in plans):
        return 1
    return CHANGES if any(each.steps for each in plans) else 0


def _found(folder: Path | None, observed: Path | None, history: Path | None, config: Path | None) -> Found:
    if folder is None and observed is None:
        if history is not None:
            usage("--history FILE is for DIR; the daemon has its own")
        return world.daemons_plans(config)
    if folder is None or observed is None:
        usage("DIR and --observed FILE belong together; `reconciler observe -o json > FILE` writes one")
    from reconciler.catalog.load import load_catalog

    desired = world.read_folder(folder)
    durations = Durations() if history is None else durations_of(world.read_history(history))
    found = preview(desired, load_catalog(desired.catalog), world.read_observed(observed), datetime.now(UTC))
    return found, durations


def _write(found: Found, output: Shape, *, steps: bool) -> None:
    previews, durations = found
    match output:
        case Shape.TREE:
            for each, (leg, of) in legs(previews):
                print_lines(tree_of(each, durations, which=f"leg {leg} of {of}" if of > 1 else "", steps=steps))
        case Shape.MARKDOWN:
            typer.echo(markdown_of(previews, durations), nl=False)
        case _:
            write_data(plans_to_json(previews, durations), Format(output))
