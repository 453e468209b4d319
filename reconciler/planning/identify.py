"""Tells from a database's marker which releases it stands at, and never rounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.domain.catalog import Catalog, Database, Service, ServiceRelease
from reconciler.domain.rule import RuleKind
from reconciler.domain.schema import Identification, SchemaMarker, SchemaState, ServiceIdentification
from reconciler.planning.marker import (
    foreign,
    matches,
    order_broken,
    place_of_marker,
    place_seen,
    still_to_do,
    words,
)


def identify_service(catalog: Catalog, service: str, markers: Mapping[str, SchemaMarker]) -> ServiceIdentification:
    """Identify each database of `markers`; the service's releases are those that all of them allow.

    Raises:
        CatalogError: the service or a database is unknown.
    """
    known = catalog.service(service)
    return together(known, {name: identify(known, name, marker) for name, marker in markers.items()})


def together(known: Service, found: Mapping[str, Identification]) -> ServiceIdentification:
    """Put the databases of a service together."""
    releases = tuple(
        each.release.id
        for each in known.releases
        if found and all(each.release.id in one.releases for one in found.values())
    )
    return ServiceIdentification(service=known.name, databases=found, releases=releases)


def identify(service: Service, database: str, seen: SchemaMarker) -> Identification:
    """Say where a database stands.

    Raises:
        CatalogError: the service has no such database.
    """
    known = service.database(database)
    strange = foreign(known, seen)
    if strange:
        return _unknown(seen, strange)
    fitting = [each for each in service.releases if _fits(known, each, seen)]
    if seen.tables == 0:
        return _without_tables(known, seen, fitting)
    if not seen.alembic and not seen.migrate:
        return _unknown(seen, "There are tables, but no row says which schema they are.")
    if fitting:
        return _at(service, known, seen, fitting)
    return _unfinished(service, known, seen)


def releases_of(service: Service, database: str, seen: SchemaMarker) -> tuple[str, ...]:
    """Return the releases whose marker a database shows; none when it is unfinished or unknown.

    Raises:
        CatalogError: the service has no such database.
    """
    return identify(service, database, seen).releases


def _fits(database: Database, release: ServiceRelease, seen: SchemaMarker) -> bool:
    return any(matches(database, marker, seen) for marker in release.schema.get(database.name, ()))


def _without_tables(database: Database, seen: SchemaMarker, fitting: list[ServiceRelease]) -> Identification:
    rows = dict(seen.migrate or {})
    if seen.alembic or (rows and rows not in [dict(blank) for blank in database.blanks]):
        claim = f"it claims {_list(fitting)}" if fitting else f"it holds {words(database, seen)}"
        return _unknown(seen, f"There is no table besides the version tables, but {claim}: only the version was set.")
    text = "There are no tables."
    if rows:
        text += f" {words(database, seen)} was written by a version command into an empty database."
    return Identification(marker=seen, state=SchemaState.EMPTY, text=text)


def _at(service: Service, database: Database, seen: SchemaMarker, fitting: list[ServiceRelease]) -> Identification:
    poison = _poisoned(service, seen, fitting)
    ids = tuple(each.release.id for each in fitting)
    if poison:
        return _unknown(seen, poison, ids)
    shared = "; these releases share one schema" if len(ids) > 1 else ""
    text = f"{words(database, seen)} is the schema of {_list(fitting)}{shared}."
    text += _leftovers(seen)
    return Identification(marker=seen, state=SchemaState.AT, releases=ids, claims=ids, text=text)


def _poisoned(service: Service, seen: SchemaMarker, fitting: list[ServiceRelease]) -> str:
    """Word the danger when an empty version table is the trace of a try that harms these releases."""
    if seen.alembic is None or seen.alembic:
        return ""
    for rule in service.rules:
        if rule.kind is RuleKind.POISONS and rule.leaves == "alembic_version":
            harmed = [each for each in fitting if each.release.index in rule.origins]
            if harmed:
                return (
                    f"An empty alembic_version beside rows of {_list(harmed)} says that newer code was tried "
                    f"on this database, which changes tables ({rule.id}): restore it first."
                )
    return ""


def _leftovers(seen: SchemaMarker) -> str:
    if seen.alembic and seen.migrate:
        rows = ", ".join(f"{name}={number}" for name, number in sorted(seen.migrate.items()))
        return f" Left over and without meaning: migrate_version with {rows}."
    if seen.alembic is not None and not seen.alembic and seen.migrate:
        return " Left over from a refused upgrade by newer code, and without meaning: an empty alembic_version."
    return ""


def _unfinished(service: Service, database: Database, seen: SchemaMarker) -> Identification:
    """Place a marker that no release leaves between its neighbours, if it has a place there at all."""
    here = place_seen(database, seen)
    ladder = [
        (each, place_of_marker(database, each.schema[database.name][0]))
        for each in service.releases
        if database.name in each.schema
    ]
    what = words(database, seen)
    places = [place for _, place in ladder]
    ahead, broken = here.ahead_of_all(places), order_broken(database, here, places)
    if ahead:
        return _unknown(seen, f"{what}: {ahead} is newer than any release that the catalog knows.")
    if broken:
        return _unknown(seen, f"{what}: {broken}, which no upgrade does.")
    older = [each for each, place in ladder if place <= here]
    newer = [(each, place) for each, place in ladder if here <= place]
    if not older:
        return _unknown(
            seen,
            f"{what} is older than any release that the catalog knows, or a first sync that did not finish.",
        )
    if not newer or newer[0][0].release.index <= older[-1].release.index:
        return _unknown(seen, f"{what} lies on no way from one release to another.")
    poison = _poisoned(service, seen, older[-1:])
    if poison:
        return _unknown(seen, poison)
    (upper, end), low = newer[0], older[-1].release.id
    return _between(seen, (low, upper.release.id), what, still_to_do(here, end))


def _between(seen: SchemaMarker, neighbours: tuple[str, str], what: str, to_do: tuple[str, ...]) -> Identification:
    low, high = neighbours
    text = (
        f"{what} lies between {low} and {high}: an upgrade to {high} or later began and did not finish; "
        f"for {high} there is still to do: {', '.join(to_do)}. "
        "The code that began it must finish it, or the database be restored."
    )
    return Identification(marker=seen, state=SchemaState.BETWEEN, between=neighbours, text=f"{text}{_leftovers(seen)}")


def _unknown(seen: SchemaMarker, text: str, claims: tuple[str, ...] = ()) -> Identification:
    return Identification(marker=seen, state=SchemaState.UNKNOWN, text=text, claims=claims)


def _list(releases: Iterable[ServiceRelease]) -> str:
    return ", ".join(each.release.id for each in releases)
