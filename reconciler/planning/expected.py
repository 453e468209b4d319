"""What a database must show after a schema step; compared with what was read back."""

from __future__ import annotations

import re

from reconciler.domain.catalog import Database, Service
from reconciler.domain.marker import STAGES, Marker, Stage
from reconciler.domain.version import NUMBERS

VERSION = re.compile(NUMBERS)


def heads_expected(service: Service, database: str, release: str, *, version: str = "") -> tuple[Marker, ...]:
    """Return the markers that the schema commands of a release may leave, those of its last package first.

    With `version`, the Python package that ran (`19.0.0`), only those of that package: as a rule one.

    Raises:
        CatalogError: the database or release is unknown.
    """
    name = service.database(database).name
    markers = service.at(release).schema.get(name, ())
    if not VERSION.fullmatch(version):
        return markers
    early = [each for each in markers if each.until and _numbers(version) <= _numbers(each.until)]
    until = early[-1].until if early else ""
    return tuple(each for each in markers if each.until == until)


def expected_after(service: Service, database: str, start: str, goal: str, stage: Stage) -> Marker:
    """Return the marker after the goal's code ran the stages up to `stage` on a finished schema of `start`.

    Branches of later stages still stand where `start` left them. Going from migrate to alembic, the first
    stage brings all migrate repositories to their end and starts every branch at the base revision.

    Raises:
        CatalogError: the database or a release is unknown.
    """
    known = service.database(database)
    (old, *_), (new, *_) = (heads_expected(service, database, each) for each in (start, goal))
    done = STAGES[: STAGES.index(stage) + 1]
    if new.alembic:
        return Marker(alembic=_heads(known, old, new, done))
    rows = {
        branch.name: (new if branch.stage in done else old).migrate.get(branch.name, 0)
        for branch in known.repositories
        if branch.name in new.migrate
    }
    return Marker(migrate={name: version for name, version in rows.items() if version})


def _heads(database: Database, old: Marker, new: Marker, done: tuple[Stage, ...]) -> frozenset[str]:
    reached = {stage: database.heads((new if stage in done else old).alembic) for stage in STAGES}
    heads = frozenset(
        head for branch in database.branches for head in reached[branch.stage].intersection(branch.revisions)
    )
    return heads.difference(database.implies[head] for head in heads if head in database.implies) or frozenset(
        {database.base}
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
