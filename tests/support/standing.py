"""A fleet as it would be seen: every service at a release, everything installed, configured and running."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from reconciler.domain.build import Build
from reconciler.domain.catalog import Catalog
from reconciler.domain.desired import OWN, Desired, Host, Service
from reconciler.domain.observation import (
    Absent,
    ConfigState,
    Container,
    Environment,
    HostFacts,
    HostReport,
    Known,
    Observations,
    Observed,
    Package,
    Unit,
)
from reconciler.domain.schema import SchemaMarker
from reconciler.planning.build import build_for
from reconciler.planning.deployments import all_of, seen_as
from reconciler.planning.expected import heads_expected
from reconciler.planning.position import version_of

LONG_AGO = timedelta(days=90)
TABLES = 40


def standing(desired: Desired, catalog: Catalog, releases: Mapping[str, str], at: datetime) -> Observations:
    """Show every service at its release of `releases`; hosts and databases of services left out are bare."""
    reports = {host.name: _report(host, desired, catalog, releases, at) for host in desired.hosts.values()}
    markers: dict[tuple[str, str], Observed[SchemaMarker]] = {}
    for name, release in releases.items():
        for each in all_of(desired.services[name]):
            for database in each.databases:
                there = each.deployment in {"", OWN} and database in catalog.service(each.component).at(release).schema
                marker = Known(marker_of(each, database, release, catalog), at) if there else Absent(at)
                markers[seen_as(each), database] = marker
    return Observations(hosts={name: Known(report, at) for name, report in reports.items()}, databases=markers)


def marker_of(service: Service, database: str, release: str, catalog: Catalog) -> SchemaMarker:
    """Return what the last package of a release leaves."""
    marker = heads_expected(catalog.service(service.component), database, release)[0]
    return SchemaMarker(alembic=marker.alembic or None, migrate=dict(marker.migrate) or None, tables=TABLES)


def _report(host: Host, desired: Desired, catalog: Catalog, releases: Mapping[str, str], at: datetime) -> HostReport:
    facts = HostFacts(boot_id="5c0b6b4e-0000-4000-8000-000000000000", free_bytes={})
    report = HostReport(facts=Known(facts, at))
    for service in desired.services.values():
        release = releases.get(service.name)
        if release is None or host.name not in service.hosts:
            continue
        build = build_for(service, host, release, version_of(service, catalog, release))
        assert build is not None, f"{service.name} has no build for {release}"
        report = merged(report, bearing(service, build, at))
    return report


def bearing(service: Service, build: Build, at: datetime) -> HostReport:
    """Show one service's build on a host: installed, configured, then started."""
    installed, started = at - LONG_AGO, at - LONG_AGO + timedelta(minutes=5)
    environments = {}
    if build.form == "environment":
        environments[build.link] = Known(Environment(build.path, installed, build.versions), at)
    units = () if build.form == "container" else service.units
    configs = {}
    if build.config_digest:
        configs[service.name] = Known(ConfigState(build.config_digest, installed), at)
    return HostReport(
        facts=Known(HostFacts(boot_id="", free_bytes={}), at),
        packages={name: Known(Package(version, True, installed), at) for name, version in build.packages.items()},
        environments=environments,
        containers={each.name: Known(container(each.image, started), at) for each in build.containers},
        units={name: Known(Unit("active", started), at) for name in units},
        configs=configs,
    )


def container(image: str, started: datetime) -> Container:
    """Show a container that runs an image, by tag or digest."""
    name, _, digest = image.partition("@")
    head, colon, tag = name.rpartition(":")
    tagged = bool(colon) and "/" not in tag
    return Container(
        image=head if tagged else name, tag=tag if tagged else "", digest=digest, state="running", started_at=started
    )


def merged(one: HostReport, other: HostReport) -> HostReport:
    """Lay what another report shows over one, facts excepted."""
    parts = dict(_parts(one, other))
    return HostReport(facts=one.facts, **parts)


def _parts(one: HostReport, other: HostReport) -> Iterator[tuple[str, dict[str, object]]]:
    for part in ("packages", "environments", "containers", "units", "configs"):
        yield part, {**getattr(one, part), **getattr(other, part)}
