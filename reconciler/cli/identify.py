"""`reconciler identify`: which releases the databases of a service stand at. Reads, and never writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from reconciler.catalog.load import load_catalog
from reconciler.cli import world
from reconciler.cli.output import Format, Output, add_row, print_lines, say, table, usage, write_data
from reconciler.domain.catalog import Service
from reconciler.domain.observation import Known, Observed, Unknown
from reconciler.domain.schema import SchemaMarker
from reconciler.planning.identify import identify_service

STATES = {"at": "green", "between": "yellow", "unknown": "red", "empty": "yellow"}


def identify(
    service: str = typer.Argument(help="A service of the catalog, such as keystone."),
    urls: list[str] = typer.Argument(metavar="[NAME=]URL...", help="An SQLAlchemy URL per database of the service."),
    output: Format = Output,
) -> None:
    """Tell which releases databases stand at.

    Reads their version tables and writes nothing. Exit 1 when one cannot be read.
    """
    catalog = load_catalog()
    seen = world.read_markers(_databases(catalog.service(service), urls))
    markers = {name: marker.value for name, marker in seen.items() if isinstance(marker, Known)}
    found = identify_service(catalog, service, markers).as_json()
    found["databases"] = {name: found["databases"].get(name) or _unread(seen[name]) for name in seen}
    if len(markers) < len(seen):
        found["releases"] = []
    if output is Format.TABLE:
        _show(found)
    else:
        write_data(found, output)
    raise typer.Exit(1 if any(isinstance(marker, Unknown) for marker in seen.values()) else 0)


def _databases(service: Service, given: Sequence[str]) -> dict[str, str]:
    """Name each URL's database: by its own word, or as the only one of the service."""
    urls: dict[str, str] = {}
    for each in given:
        name, equals, url = each.partition("=")
        if not equals or "://" in name:
            name, url = _only(service), each
        if name in urls:
            usage(f"database {name} is given twice")
        urls[service.database(name).name] = _absolute(url)
    return urls


def _absolute(url: str) -> str:
    """Let an SQLite file be named from where the person stands."""
    scheme, slashes, path = url.partition(":///")
    if slashes and scheme.startswith("sqlite") and not path.startswith("/"):
        return f"{scheme}:////{str(Path.cwd() / path).lstrip('/')}"
    return url


def _only(service: Service) -> str:
    if len(service.databases) > 1:
        usage(f"{service.name} has the databases {', '.join(sorted(service.databases))}: say NAME=URL")
    return next(iter(service.databases))


def _unread(seen: Observed[SchemaMarker]) -> dict[str, Any]:
    """Say why a database was not read, in the shape of a finding."""
    marker = {"alembic": None, "migrate": None, "tables": None}
    if isinstance(seen, Unknown):
        return {"marker": marker, "releases": [], "state": "unknown", "text": seen.text}
    return {"marker": marker, "releases": [], "state": "empty", "text": "The database does not exist."}


def _show(found: Mapping[str, Any]) -> None:
    rows = table("database", "state", "releases", "text")
    for name, one in found["databases"].items():
        add_row(rows, (name, one["state"], ", ".join(one["releases"]), one["text"]), STATES[one["state"]])
    print_lines(rows)
    say(f"{found['service']}: {', '.join(found['releases']) or 'no release can be told'}", "bold")
