"""Compares markers: as places on the branches of a database, and with what a schema step must leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.domain.catalog import Database
from reconciler.domain.marker import STAGES, Marker
from reconciler.domain.schema import SchemaMarker


@dataclass(frozen=True, slots=True)
class Place:
    """How far each branch is, in one of the two ages: migrate repositories, later alembic branches.

    A branch that is left out is not looked at; alembic starts where migrate ended.
    """

    alembic: bool
    branches: Mapping[str, int]

    def __le__(self, other: Place) -> bool:
        if self.alembic != other.alembic:
            return other.alembic
        return all(at <= other.branches[name] for name, at in self.branches.items() if name in other.branches)

    def ahead_of_all(self, places: Sequence[Place]) -> str:
        """Return the branch and version that is newer than in any of `places`, or nothing."""
        peers = [place.branches for place in places if place.alembic == self.alembic]
        for name, at in self.branches.items():
            if all(at > peer.get(name, 0) for peer in peers):
                return f"{name}={at}"
        return ""


def foreign(database: Database, seen: SchemaMarker) -> str:
    """Word what in a marker cannot be this database's: unknown rows, or heads that exclude each other."""
    chains = {rev: branch for branch in database.branches for rev in branch.revisions}
    heads = seen.alembic or frozenset()
    strange = sorted(heads - chains.keys() - {database.base})
    if strange:
        return (
            f"Revision {', '.join(strange)} in alembic_version belongs to no release that the catalog knows: "
            "the database is ahead of them all, or not this service's."
        )
    branches = [chains[head].name for head in heads if head in chains]
    if len(set(branches)) < len(branches) or (database.base in heads and len(heads) > 1):
        both = ", ".join(sorted(heads))
        return f"alembic_version holds {both}, two heads of one branch: it was changed by hand."
    repositories = {branch.name for branch in database.repositories}
    others = sorted((seen.migrate or {}).keys() - repositories - database.ignored)
    if others and not heads:
        return f"Row {', '.join(others)} in migrate_version belongs to another service or to none that is known."
    return ""


def matches(database: Database, marker: Marker, seen: SchemaMarker) -> bool:
    """Say whether a database is exactly where `marker` says; rows of the other age do not count."""
    if marker.alembic:
        return seen.alembic == marker.alembic
    rows = seen.migrate
    if seen.alembic or not rows:
        return False
    others = {name: number for name, number in rows.items() if name not in marker.migrate and number}
    return all(rows.get(name) == number for name, number in marker.migrate.items()) and all(
        name in database.ignored or database.remnants.get(name) == number for name, number in others.items()
    )


def place_seen(database: Database, seen: SchemaMarker) -> Place:
    """Return the place of a marker without foreign parts."""
    if seen.alembic:
        return _alembic_place(database, database.heads(seen.alembic))
    rows = seen.migrate or {}
    return Place(False, {branch.name: rows.get(branch.name, 0) for branch in database.repositories})


def place_of_marker(database: Database, marker: Marker) -> Place:
    """Return the place of a release's marker; remnants that it does not name are not looked at."""
    if marker.alembic:
        return _alembic_place(database, database.heads(marker.alembic))
    return Place(
        False,
        {
            branch.name: marker.migrate.get(branch.name, 0)
            for branch in database.repositories
            if branch.name in marker.migrate or branch.name not in database.remnants
        },
    )


def order_broken(database: Database, here: Place, places: Sequence[Place]) -> str:
    """Word it when a branch of a later stage needs a release that one of an earlier stage cannot be at yet.

    `places` are those of all releases, oldest first.
    """
    branches = [
        branch
        for branch in (database.branches if here.alembic else database.repositories)
        if branch.name in here.branches
    ]
    peers = [place.branches if place.alembic == here.alembic else {} for place in places]
    for early in branches:
        for late in branches:
            if STAGES.index(early.stage) >= STAGES.index(late.stage):
                continue
            if _first_at(peers, late.name, here) > _newest_possible(peers, early.name, here):
                return f"{late.name} is ahead of {early.name}"
    return ""


def _first_at(peers: Sequence[Mapping[str, int]], name: str, here: Place) -> int:
    """Return the oldest release that is as far on the branch."""
    at = here.branches[name]
    if at == 0:  # not begun, as in every release before the branch
        return 0
    return next((index for index, place in enumerate(peers) if name in place and place[name] >= at), len(peers))


def _newest_possible(peers: Sequence[Mapping[str, int]], name: str, here: Place) -> int:
    """Return the newest release whose code may have brought the branch here."""
    at = here.branches[name]
    reached = [index for index, place in enumerate(peers) if name in place and place[name] <= at]
    return max([_first_at(peers, name, here), *reached])


def still_to_do(here: Place, goal: Place) -> tuple[str, ...]:
    """Return the branches that are not as far as in `goal`."""
    if here.alembic != goal.alembic:
        return tuple(goal.branches)
    return tuple(name for name, at in goal.branches.items() if here.branches.get(name, 0) < at)


def words(database: Database, seen: SchemaMarker) -> str:
    """Word the part of a marker that counts."""
    if seen.alembic:
        chains = [(rev, branch.name) for branch in database.branches for rev in branch.revisions]
        heads = [(database.base, "base"), *chains]
        return "alembic_version at " + ", ".join(f"{name} {rev}" for rev, name in heads if rev in seen.alembic)
    return "migrate_version at " + ", ".join(f"{k}={v}" for k, v in sorted((seen.migrate or {}).items()))


def _alembic_place(database: Database, heads: frozenset[str]) -> Place:
    return Place(
        True,
        {
            branch.name: max((place for place, rev in enumerate(branch.revisions, start=1) if rev in heads), default=0)
            for branch in database.branches
        },
    )
