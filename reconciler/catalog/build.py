"""Turns validated documents into the frozen nouns of the domain, and checks what spans several of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.catalog.build_commands import build_commands
from reconciler.catalog.build_rule import build_note, build_rule
from reconciler.catalog.check import span, unique, wrong
from reconciler.catalog.commands_model import EraModel
from reconciler.catalog.models import (
    DatabaseModel,
    MarkerModel,
    OriginModel,
    RepositoryModel,
    SeriesModel,
    ServiceModel,
    ServiceReleaseModel,
)
from reconciler.catalog.rule_model import RuleModel
from reconciler.domain.catalog import Addresses, Branch, Database, Origin, Service, ServiceRelease
from reconciler.domain.commands import Lie
from reconciler.domain.marker import Marker
from reconciler.domain.release import Release, Series


def merged_series(parts: Sequence[SeriesModel]) -> SeriesModel:
    """Join the parts of one series: later parts append releases and rules."""
    return SeriesModel(
        series=parts[0].series,
        releases=tuple(release for part in parts for release in part.releases),
        rules=tuple(rule for part in parts for rule in part.rules),
    )


def merged_service(parts: Sequence[ServiceModel]) -> ServiceModel:
    """Join the parts of one service: the first describes it, later ones append."""
    first, *later = parts
    for part in later:
        if part.series != first.series:
            raise wrong(first.service, f"is of series {first.series}, an addition says {part.series}")
        unique(first.service, "database", [*first.databases, *part.databases])
    return first.model_copy(
        update={
            "databases": {name: db for part in parts for name, db in part.databases.items()},
            "eras": tuple(era for part in parts for era in part.eras),
            "backfills": tuple(each for part in parts for each in part.backfills),
            "releases": tuple(release for part in parts for release in part.releases),
            "rules": tuple(rule for part in parts for rule in part.rules),
            "notes": tuple(note for part in parts for note in part.notes),
        }
    )


def with_releases_of(model: ServiceModel, listed: Sequence[ServiceReleaseModel], series: Series) -> ServiceModel:
    """Give a service releases that are listed elsewhere, as far as it has them, before those of its own."""
    assert model.releases_of is not None
    stretch = span(model.releases_of, series)
    lines = tuple(
        line.model_copy(update={"databases": {}, "backfills": ()})
        for line in listed
        if series.find(line.id).index in stretch
    )
    return model.model_copy(update={"releases": (*lines, *model.releases)})


def build_series(model: SeriesModel) -> Series:
    """Number the releases of a series.

    Raises:
        CatalogError: two releases share a name.
    """
    releases = tuple(
        Release(id=line.id, index=index, codename=line.codename, slurp=line.slurp, aliases=line.aliases)
        for index, line in enumerate(model.releases)
    )
    unique(model.series, "release", [name.casefold() for release in releases for name in set(release.names)])
    return Series(name=model.series, releases=releases)


def build_service(model: ServiceModel, series: Series, series_rules: Sequence[RuleModel]) -> Service:
    """Resolve a service's releases, rules and notes against its series.

    Raises:
        CatalogError: it contradicts itself or the series.
    """
    rules = (*model.rules, *series_rules)
    unique(model.service, "rule or note", [*(rule.id for rule in rules), *(note.id for note in model.notes)])
    databases = {name: _database(model.service, name, db, series) for name, db in model.databases.items()}
    for db in databases.values():
        for named in ({*db.addresses.of.values(), db.addresses.others}) - databases.keys() if db.addresses else ():
            raise wrong(model.service, f"addresses of {db.name} name an unknown database {named}")
    releases = sorted(
        (_release(model, line, series, databases) for line in model.releases), key=lambda r: r.release.index
    )
    unique(model.service, "release", [each.release.id for each in releases])
    return Service(
        name=model.service,
        series=series,
        python_package=model.packages.python,
        deb_package=model.packages.deb,
        databases=databases,
        releases=tuple(releases),
        rules=tuple(build_rule(rule, series, databases if rule in model.rules else None) for rule in rules),
        notes=tuple(build_note(note, series) for note in model.notes),
        origin=_origin(model.origin, series) if model.origin else None,
    )


def _release(
    model: ServiceModel, line: ServiceReleaseModel, series: Series, databases: dict[str, Database]
) -> ServiceRelease:
    release = series.find(line.id)
    era = _era(model, release, series)
    for name, marker in line.databases.items():
        if name not in databases:
            raise wrong(model.service, f"release {line.id} has a marker of an unknown database {name}")
        for each in (marker, *marker.also, *marker.earlier):
            _known_marker(f"{model.service} {line.id}", databases[name], each)
    return ServiceRelease(
        release=release,
        first_version=line.package.first if line.package else "",
        final_version=line.package.final if line.package else "",
        deb_prefix=line.deb,
        python_requires=line.python.requires,
        python_tested=line.python.tested,
        schema={
            name: (
                _marker(marker),
                *(_marker(other) for other in marker.also),
                *(_marker(earlier, until=earlier.until) for earlier in reversed(marker.earlier)),
            )
            for name, marker in line.databases.items()
        },
        commands=replace(
            build_commands(f"{model.service} {line.id}", era, tuple(line.databases), series),
            lies=tuple(
                Lie(codes=each.codes, reason=each.reason, output=each.output or "")
                for each in model.upgrade_check_lies
                if release.index in span(each, series)
            ),
        ),
        zero_downtime=era.zero_downtime,
        units=era.units,
        images=line.images.model_dump() if line.images else {},
        backfills=tuple(each.name for each in model.backfills if release.index in span(each, series)),
    )


def _era(model: ServiceModel, release: Release, series: Series) -> EraModel:
    if not model.eras and not model.databases:
        return EraModel(zero_downtime=False)
    fitting = [era for era in model.eras if release.index in span(era, series)]
    if len(fitting) != 1:
        raise wrong(model.service, f"release {release.id} must lie in one era, it lies in {len(fitting)}")
    return fitting[0]


def _known_marker(where: str, database: Database, marker: MarkerModel) -> None:
    revisions = {database.base, *(revision for branch in database.branches for revision in branch.revisions)}
    repositories = {repository.name for repository in database.repositories}
    strange = [*(set(marker.alembic) - revisions), *(set(marker.migrate) - repositories)]
    if strange:
        raise wrong(where, f"database {database.name} lists neither revision nor repository {strange[0]}")


def _marker(model: MarkerModel, until: str = "") -> Marker:
    return Marker(alembic=frozenset(model.alembic), migrate=model.migrate, until=until)


def _database(service: str, name: str, model: DatabaseModel, series: Series) -> Database:
    migrate, alembic = model.migrate, model.alembic
    branches = tuple(_branch(each) for each in alembic.branches) if alembic else ()
    unique(f"{service} {name}", "revision", [revision for each in branches for revision in each.revisions])
    return Database(
        name=name,
        option=model.option,
        repositories=tuple(_branch(each) for each in migrate.repositories) if migrate else (),
        ignored=frozenset(migrate.ignored) if migrate else frozenset(),
        remnants=migrate.remnants if migrate else {},
        blanks=migrate.blanks if migrate else (),
        base=alembic.base if alembic else "",
        branches=branches,
        implies=alembic.implies if alembic else {},
        appears=span(model.appears, series),
        addresses=Addresses(**model.addresses.model_dump()) if model.addresses else None,
    )


def _origin(model: OriginModel, series: Series) -> Origin:
    return Origin(**model.model_dump() | {"releases": span(model.releases, series)})


def _branch(model: RepositoryModel) -> Branch:
    return Branch(name=model.name, stage=model.stage, revisions=model.revisions)
