"""What real code of each release left in each database, read from the packaged files when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from reconciler.catalog.structure_file import StructureFile, read_file
from reconciler.domain.structure import Expected, Knowledge


def expected_structure(service: str, database: str, release: str) -> Expected | None:
    """Return the structure of a database of a service at a release, by its id.

    None: none of its code was run to see, or the service is a site's own.
    """
    file = structure_file(service, database)
    return None if file is None else file.expected(release)


def knowledge(service: str, database: str) -> Knowledge:
    """Return what is needed to identify a database by its structure."""
    file = structure_file(service, database)
    expected = {} if file is None else {name: found for name in file.releases if (found := file.expected(name))}
    return Knowledge(expected=expected, tables=_known_tables())


@cache
def structure_file(service: str, database: str) -> StructureFile | None:
    """Return all that is known of a database's structures; one that is always as another says `same OTHER`."""
    for series in files("reconciler.catalog").iterdir():
        source = series.joinpath("structure", f"{service}.{database}.txt")
        if source.is_file():
            text = source.read_text("utf-8")
            return structure_file(service, text.split()[1]) if text.startswith("same ") else read_file(text)
    return None


@cache
def _known_tables() -> Mapping[str, frozenset[str]]:
    """Return the tables that any release has in a database, by service and database, such as `nova api`."""
    names = sorted(
        source.name.removesuffix(".txt")
        for series in files("reconciler.catalog").iterdir()
        if series.joinpath("structure").is_dir()
        for source in series.joinpath("structure").iterdir()
    )
    found = {name: structure_file(*name.split(".")) for name in names}
    return {
        name.replace(".", " "): frozenset(each.table for each in file.objects)
        for name, file in found.items()
        if file is not None
    }
