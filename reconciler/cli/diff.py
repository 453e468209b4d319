"""`reconciler diff`: desired against observed, target by target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from reconciler.cli import world
from reconciler.cli.output import (
    Config,
    Format,
    Output,
    add_row,
    print_lines,
    say,
    show_error,
    table,
    usage,
    write_data,
)
from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from reconciler.domain.observation import Observations
    from reconciler.planning.preview import Preview

DIFFERS, ERROR = 1, 2
Row = tuple[str, str, str, str, str]


def diff(
    first: str | None = typer.Argument(
        None, metavar="[DIR|FROM]", help="The folder with fleet.yaml; none: the daemon's. With TO: what is now."
    ),
    second: str | None = typer.Argument(None, metavar="[TO]", help="Another folder or commit: what a merge would do."),
    observed: Path | None = typer.Option(None, help="What `reconciler observe -o json` wrote; with DIR or FROM."),
    repo: Path | None = typer.Option(None, help="FROM and TO are commits of this repository, not folders."),
    path: str = typer.Option("", help="Where fleet.yaml lies in the repository; default: its root."),
    output: Format = Output,
    config: Path | None = Config,
) -> None:
    """Compare what is desired with what was seen.

    With FROM and TO, folders or commits of --repo, it shows what a merge would do: per group the plans that appear,
    vanish or change. Exit 0: same, 1: differs, 2: that cannot be told.
    """
    try:
        if second is not None or repo is not None:
            differs = _merge(first, second, observed, (repo, path), output)
            raise typer.Exit(DIFFERS if differs else 0)
        found = _found(Path(first) if first else None, observed, config)
    except ReconcilerError as error:
        show_error(error)
        raise typer.Exit(ERROR) from error
    if output is Format.TABLE:
        _show(found)
    else:
        write_data(found, output)
    raise typer.Exit(exit_code(found))


def _merge(
    old: str | None, new: str | None, observed: Path | None, place: tuple[Path | None, str], output: Format
) -> bool:
    """Show what changes between two desired states, and tell whether anything does."""
    if old is None or new is None or observed is None:
        usage("FROM, TO and --observed FILE belong together; `reconciler observe -o json > FILE` writes one")
    from reconciler.cli.diff_merge import show_changes
    from reconciler.planning.merge import changes, changes_to_json

    seen, now = world.read_observed(observed), datetime.now(UTC)
    before, after = (_previews(each, place, seen, now) for each in (old, new))
    found = changes(before, after)
    if output is Format.TABLE:
        show_changes(found)
    else:
        write_data(changes_to_json(old, new, found), output)
    return bool(found)


def _previews(name: str, place: tuple[Path | None, str], seen: Observations, now: datetime) -> Sequence[Preview]:
    from reconciler.catalog.load import load_catalog
    from reconciler.planning.preview import preview

    repository, path = place
    desired = world.read_folder(Path(name)) if repository is None else world.read_commit(repository, name, path)
    return preview(desired, load_catalog(desired.catalog), seen, now)


def exit_code(found: Mapping[str, Any]) -> int:
    """Return 1 for a difference that is certain, else 2 when something is unknown, else 0."""
    if found["differs"]:
        return DIFFERS
    return ERROR if found["unknown"] else 0


def _found(folder: Path | None, observed: Path | None, config: Path | None) -> Mapping[str, Any]:
    if folder is None and observed is None:
        return world.document(world.settings_from(config), "diff")
    if folder is None or observed is None:
        usage("DIR and --observed FILE belong together; `reconciler observe -o json > FILE` writes one")
    from reconciler.catalog import load_catalog
    from reconciler.planning.preview import positions_of
    from reconciler.planning.status_json import diff_to_json

    desired = world.read_folder(folder)
    seen = world.read_observed(observed)
    return diff_to_json("", desired, positions_of(desired, load_catalog(desired.catalog), seen), seen)


def _show(found: Mapping[str, Any]) -> None:
    rows = table("service", "target", "desired", "observed", "difference")
    count = 0
    for service in found["services"]:
        for row in _rows(service):
            add_row(rows, row, "yellow")
            count += 1
    if count:
        print_lines(rows)
    else:
        say("no difference")


def _rows(service: Mapping[str, Any]) -> Iterator[Row]:
    name, goal = service["service"], service["desired"]
    for each in service["databases"]:
        if each["differs"] or each["unknown"]:
            at = ", ".join(each["releases"]) or "?"
            yield name, f"database {each['name']}", goal, at, each["text"]
    for each in service["hosts"]:
        text = each["unknown"] or "; ".join(each["drift"])
        if text:
            yield name, each["host"], each["desired"], each["release"] or "?", text
    told = {each["text"] for each in service["databases"]} | {each["unknown"] for each in service["hosts"]}
    for block in service["blocks"]:
        if block["text"] not in told:
            yield name, "", goal, service["position"] or "?", block["text"]
