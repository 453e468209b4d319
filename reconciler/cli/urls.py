"""The databases of a service as a person names them on the command line: `[NAME=]URL...`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reconciler.cli.output import usage
from reconciler.domain.catalog import Service


def databases(service: Service, given: Sequence[str]) -> dict[str, str]:
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
