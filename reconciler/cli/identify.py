"""`reconciler identify`: which releases the databases of a service stand at. Reads, and never writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import typer

from reconciler.catalog.load import load_catalog
from reconciler.catalog.structure import knowledge
from reconciler.cli import world
from reconciler.cli.output import Format, Output, add_row, print_lines, say, table, write_data
from reconciler.cli.urls import databases
from reconciler.domain.catalog import Service
from reconciler.domain.observation import Known, Observed, Unknown
from reconciler.domain.schema import Identification, SchemaMarker
from reconciler.planning.identify import identify as place
from reconciler.planning.identify import together
from reconciler.planning.identify_structure import settle

STATES = {"at": "green", "between": "yellow", "unknown": "red", "empty": "yellow"}


def identify(
    service: str = typer.Argument(help="A service of the catalog, such as keystone."),
    urls: list[str] = typer.Argument(metavar="[NAME=]URL...", help="An SQLAlchemy URL per database of the service."),
    output: Format = Output,
) -> None:
    """Tell which releases databases stand at.

    Reads their version tables and what tables, columns and keys there are, in five queries at most, and writes nothing.
    Exit 1 when one cannot be read.
    """
    known = load_catalog().service(service)
    named = databases(known, urls)
    seen = world.read_markers(named)
    placed = {name: place(known, name, marker.value) for name, marker in seen.items() if isinstance(marker, Known)}
    weighed = _weighed(known, placed, {name: named[name] for name in placed})
    found = together(known, weighed).as_json()
    found["databases"] = {name: found["databases"].get(name) or _unread(seen[name]) for name in seen}
    if len(placed) < len(seen):
        found["releases"] = []
    if output is Format.TABLE:
        _show(found)
    else:
        write_data(found, output)
    raise typer.Exit(1 if any(isinstance(marker, Unknown) for marker in seen.values()) else 0)


def _weighed(
    known: Service, placed: Mapping[str, Identification], urls: Mapping[str, str]
) -> dict[str, Identification]:
    """Let structures confirm, decide or contradict; of one that cannot be read it is said."""
    structures = world.read_structures({name: urls[name] for name, found in placed.items() if found.marker.tables})
    weighed = dict(placed)
    for name, seen in structures.items():
        if isinstance(seen, Known):
            weighed[name] = settle(known, placed[name], seen.value, name, knowledge(known.name, name))
        elif isinstance(seen, Unknown):
            text = f"{placed[name].text} Its structure could not be read: {seen.text}."
            weighed[name] = replace(placed[name], text=text)
    return weighed


def _unread(seen: Observed[SchemaMarker]) -> dict[str, Any]:
    """Say why a database was not read, in the shape of a finding."""
    marker = {"alembic": None, "migrate": None, "tables": None}
    if isinstance(seen, Unknown):
        return {"marker": marker, "releases": [], "state": "unknown", "text": seen.text, "structure": None}
    text = "The database does not exist."
    return {"marker": marker, "releases": [], "state": "empty", "text": text, "structure": None}


def _show(found: Mapping[str, Any]) -> None:
    rows = table("database", "state", "releases", "text")
    for name, one in found["databases"].items():
        add_row(rows, (name, one["state"], ", ".join(one["releases"]), one["text"]), STATES[one["state"]])
    print_lines(rows)
    say(f"{found['service']}: {', '.join(found['releases']) or 'no release can be told'}", "bold")
