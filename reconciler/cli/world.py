"""What verbs need of the world. The one module of this room that names adapters, and it does so late.

Libraries for SQL, git and SSH take a second to import, and a person who asks for a route should not wait for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.domain.dburl import split_password
from reconciler.domain.desired import Database, Desired
from reconciler.domain.observation import Observations, Observed
from reconciler.domain.schema import SchemaMarker
from reconciler.errors import DesiredStateError, ReconcilerError
from reconciler.planning.preview import Preview


def read_folder(folder: Path) -> Desired:
    """Read and check the desired state in a folder; raises DesiredStateError with every problem, SourceError."""
    from reconciler.desired import Problems
    from reconciler.execution.read import read_files

    found = read_files(files_of(folder))
    if isinstance(found, Problems):
        raise DesiredStateError(str(found), reason="SourceInvalid", hint=f"`reconciler validate {folder}` lists all.")
    return found


def files_of(folder: Path) -> Mapping[str, bytes]:
    """Return the files of a folder as the daemon would see them in git; raises SourceError."""
    from reconciler.adapters.folder import read_folder as read

    return read(folder)


def read_markers(urls: Mapping[str, str]) -> dict[str, Observed[SchemaMarker]]:
    """Read the schema markers of databases by URL, in which a password may stand."""
    from reconciler.adapters.databases import SqlDatabases

    async def read() -> list[Observed[SchemaMarker]]:
        world = SqlDatabases()
        plain = {name: split_password(url) for name, url in urls.items()}
        asked = [world.marker(Database(name=name, url=url), password) for name, (url, password) in plain.items()]
        return await asyncio.gather(*asked)

    return dict(zip(urls, asyncio.run(read()), strict=True))


def read_observed(file: Path) -> Observations:
    """Read a recorded observation; raises ReconcilerError that lists what is wrong with it."""
    from reconciler.planning.observed_json import observed_from_json

    try:
        return observed_from_json(file.read_bytes(), str(file))
    except OSError as error:
        hint = "Write it with `reconciler observe -o json > FILE`."
        raise ReconcilerError(f"{file}: {error.strerror}", reason="ObservationInvalid", hint=hint) from error


def daemons_plans() -> Sequence[Preview]:
    """Return the plans that the daemon published last."""
    raise NotImplementedError
