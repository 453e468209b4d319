#!/usr/bin/env python3
"""Reads databases that real code of releases made, and writes what they look like into the catalog's structure files.

    collect_structures.py LIST [--into reconciler/catalog/openstack/structure]

LIST holds one JSON object a line, a database each:

    {"service": "neutron", "database": "main", "release": "pike", "how": "fresh",
     "origin": "neutron 11.0.8, Python 2.7.18, MariaDB 10.11.19",
     "url": "mysql+pymysql://root@127.0.0.1:3306/neutron_pike_fresh"}

`how` is `fresh` (the release's schema command on an empty database) or `walk` (the end of a walk through all older
releases, with their online data migrations). Runs that a file has already and LIST does not name stay as they are.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.adapters.databases import SqlDatabases
from reconciler.catalog import load_catalog
from reconciler.catalog.structure_file import HOWS, Run, StructureFile, read_file, write_file
from reconciler.domain.dburl import split_password
from reconciler.domain.desired import Database
from reconciler.domain.observation import Known
from reconciler.domain.structure import Structure

HOME = Path(__file__).resolve().parent.parent
FOLDER = HOME / "reconciler" / "catalog" / "openstack" / "structure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One line of the list: which database was made, by what, and where it can be read."""

    service: str
    database: str
    release: str
    how: str
    origin: str
    url: str


def main(argv: list[str] | None = None) -> int:
    """Read every database of the list, and write the files of their services."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list", type=Path)
    parser.add_argument("--into", type=Path, default=FOLDER)
    given = parser.parse_args(argv)
    made = [Made(**json.loads(line)) for line in given.list.read_text("utf-8").splitlines() if line.strip()]
    seen = asyncio.run(read_all(made))
    given.into.mkdir(parents=True, exist_ok=True)
    files = {
        key: merged(old_file(given.into, *key), {each: seen[each] for each in made if _key(each) == key})
        for key in sorted({_key(each) for each in made})
    }
    for (service, database), file in files.items():
        path = given.into / f"{service}.{database}.txt"
        path.write_text(text_of(service, database, files), "utf-8")
        print(f"{path.name}: {len(file.objects)} objects of {len(file.runs)} runs, {path.stat().st_size} bytes")
    return 0


def text_of(service: str, database: str, files: Mapping[tuple[str, str], StructureFile]) -> str:
    """Write a file, or name the database of the service that is always the same, as nova's cell0 is as main."""
    file = files[service, database]
    twins = [name for (owner, name), other in files.items() if owner == service and other == file]
    if twins[-1] != database:
        return f"same {twins[-1]}\n"
    return write_file(file, f"What the code of {service} left in database {database}: scripts/collect_structures.py")


def old_file(folder: Path, service: str, database: str) -> StructureFile | None:
    """Read what is there already."""
    path = folder / f"{service}.{database}.txt"
    if not path.exists():
        return None
    text = path.read_text("utf-8")
    return old_file(folder, service, text.split()[1]) if text.startswith("same ") else read_file(text)


def _key(made: Made) -> tuple[str, str]:
    return made.service, made.database


async def read_all(made: Iterable[Made]) -> dict[Made, Structure]:
    """Read one database after the other; raises SystemExit for one that cannot be read."""
    world, found = SqlDatabases(), dict[Made, Structure]()
    for each in made:
        url, password = split_password(each.url)
        seen = await world.structure(Database(name=each.database, url=url), password)
        if not isinstance(seen, Known) or not seen.value.objects or not seen.value.rules_seen:
            raise SystemExit(f"{each.service} {each.release} {each.how}: not all can be read: {seen}")
        found[each] = seen.value
    return found


def merged(old: StructureFile | None, new: Mapping[Made, Structure]) -> StructureFile:
    """Put new runs beside those of a file, or in their place; raises SystemExit when the engines differ."""
    engines = {structure.engine for structure in new.values()} | ({old.engine} if old else set())
    if len(engines) != 1:
        raise SystemExit(f"one file cannot hold structures of {' and '.join(sorted(engines))}")
    origins = {**(old.runs if old else {}), **{Run(made.release, made.how): made.origin for made in new}}
    left = {run: {each for each, runs in old.objects.items() if run in runs} for run in old.runs} if old else {}
    left |= {Run(made.release, made.how): set(structure.objects) for made, structure in new.items()}
    ordered = sorted(origins, key=_place)
    return StructureFile(
        engine=engines.pop(),
        runs={run: origins[run] for run in ordered},
        objects={
            each: frozenset(run for run in ordered if each in left[run])
            for each in sorted({each for objects in left.values() for each in objects})
        },
    )


def _place(run: Run) -> tuple[int, int]:
    """Order runs by release, and fresh ones first; raises CatalogError for a release that nobody knows."""
    return load_catalog().series["openstack"].find(run.release).index, HOWS.index(run.how)


if __name__ == "__main__":
    raise SystemExit(main())
