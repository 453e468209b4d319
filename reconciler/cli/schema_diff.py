"""`reconciler schema diff`: a database against what the code of a release leaves. Reads, and never writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from reconciler.catalog.load import load_catalog
from reconciler.catalog.structure import expected_structure
from reconciler.cli import world
from reconciler.cli.output import Format, Output, add_row, print_lines, say, show_error, table, write_data
from reconciler.cli.urls import databases
from reconciler.domain.comparison import Comparison, Judgement
from reconciler.domain.observation import Absent, Known, Observed
from reconciler.domain.structure import Expected, Structure
from reconciler.errors import ReconcilerError
from reconciler.planning.structure import compare, uncompared

DIFFERS, ERROR = 1, 2
STYLES = {Judgement.DAMAGING: "red", Judgement.NOTABLE: "yellow", Judgement.HARMLESS: "dim"}


def diff(
    service: str = typer.Argument(help="A service of the catalog, such as neutron."),
    release: str = typer.Argument(help="A release, such as yoga or 2026.1."),
    urls: list[str] = typer.Argument(metavar="[NAME=]URL...", help="An SQLAlchemy URL per database of the service."),
    output: Format = Output,
) -> None:
    """List what differs between databases and what the code of a release leaves, and how bad it is.

    Writes nothing. Exit 0: the same, or only harmless differences; 1: differs; 2: that cannot be told.
    """
    try:
        known = load_catalog().service(service)
        at = known.at(release).release.id
        seen = world.read_structures(databases(known, urls))
    except ReconcilerError as error:
        show_error(error)
        raise typer.Exit(ERROR) from error
    expected = {name: expected_structure(service, name, at) for name in seen}
    compared = {name: _compared(expected[name], each) for name, each in seen.items()}
    if output is Format.TABLE:
        for name, one in compared.items():
            _show(f"database {name} of {service} against {at}", one)
    else:
        found = {name: _as_json(expected[name], one) for name, one in compared.items()}
        write_data({"service": service, "release": at, "databases": found}, output)
    raise typer.Exit(_code(compared))


def _compared(expected: Expected | None, seen: Observed[Structure]) -> Comparison:
    if not isinstance(seen, Known):
        return Comparison(uncompared="the database does not exist" if isinstance(seen, Absent) else seen.text)
    return uncompared() if expected is None else compare(expected, seen.value)


def _code(compared: Mapping[str, Comparison]) -> int:
    if any(one.uncompared for one in compared.values()):
        return ERROR
    return 0 if all(one.sound for one in compared.values()) else DIFFERS


def _as_json(expected: Expected | None, one: Comparison) -> dict[str, Any]:
    state = "unknown" if one.uncompared else "differs" if not one.sound else "harmless" if one.differences else "same"
    return {
        "state": state,
        "text": one.told,
        "origins": [] if expected is None else list(expected.origins),
        "differences": [each.as_json() for each in one.differences],
    }


def _show(title: str, one: Comparison) -> None:
    say(f"{title}: {one.told}", "bold")
    if not one.differences:
        return
    rows = table("judgement", "difference", "why")
    for each in one.differences:
        add_row(rows, (each.judgement, each, each.reason), STYLES[each.judgement])
    print_lines(rows)
