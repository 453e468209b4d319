"""Says where a service stands, from what was seen and what the journal remembers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reconciler.domain.build import Build
from reconciler.domain.catalog import Catalog
from reconciler.domain.catalog import Service as Component
from reconciler.domain.desired import Desired, Host, Service
from reconciler.domain.marker import Stage
from reconciler.domain.memo import memo
from reconciler.domain.observation import Absent, HostReport, Known, Observations, Unknown
from reconciler.domain.plan import Block, ServiceRoute
from reconciler.domain.position import DatabasePosition, HostPosition, Position
from reconciler.domain.procedure import Procedure
from reconciler.domain.reasons import Reason, hint_of
from reconciler.domain.run import History, Run
from reconciler.domain.schema import SchemaMarker, SchemaState
from reconciler.planning.build import Builds, differences, installed_release
from reconciler.planning.deployments import live, seen_as, to_come
from reconciler.planning.expected import expected_after
from reconciler.planning.identify import identify
from reconciler.planning.marker import matches

_BLOCKS = {
    SchemaState.BETWEEN: Reason.DATABASE_BETWEEN,
    SchemaState.EMPTY: Reason.DATABASE_EMPTY,
    SchemaState.UNKNOWN: Reason.DATABASE_FOREIGN,
}


@memo
def position_of(service: Service, desired: Desired, catalog: Catalog, seen: Observations, history: History) -> Position:
    """Place a service where its live deployment stands: each database, each host, and where a route would start."""
    order = [each.release.id for each in catalog.service(service.component).releases]
    ahead = to_come(service, history, order)
    service = live(service, history)
    databases, hosts = _databases(service, desired, catalog, seen), _hosts(service, desired, catalog, seen)
    second = tuple(host for each in ahead for host in _second(each, desired, catalog, seen))
    blocks = tuple(d.block for d in databases if d.block)
    blocks += tuple(host.unknown for host in hosts if host.unknown)
    release = "" if any(d.block for d in databases) else _start(service, catalog, databases, hosts, history)
    if not release and not blocks:
        blocks = (_no_release(service, databases, hosts),)
    return Position(
        service=service.name, release=release, databases=databases, hosts=hosts, second=second, blocks=blocks
    )


@memo
def _databases(
    service: Service, desired: Desired, catalog: Catalog, seen: Observations
) -> tuple[DatabasePosition, ...]:
    expands = _expands(desired.procedures.get(service.procedure))
    return tuple(_database(service, name, catalog, seen, expands=expands) for name in sorted(service.databases))


@memo
def _hosts(service: Service, desired: Desired, catalog: Catalog, seen: Observations) -> tuple[HostPosition, ...]:
    builds = Builds(service, dict(versions_of(service, catalog)))
    return tuple(_host(desired.hosts[name], builds, seen) for name in service.hosts)


def _second(new: Service, desired: Desired, catalog: Catalog, seen: Observations) -> tuple[HostPosition, ...]:
    """Place the hosts of a deployment that shall take over: they need not bear any build yet."""
    bare = Reason.HOST_WITHOUT_BUILD
    hosts = _hosts(new, desired, catalog, seen)
    return tuple(replace(h, unknown=None) if h.unknown and h.unknown.reason == bare else h for h in hosts)


def version_of(service: Service, catalog: Catalog, release: str) -> str:
    """Return the package version that a release means: the service's own word, else the catalog's last."""
    return service.versions.get(release) or catalog.service(service.component).at(release).final_version


def versions_of(service: Service, catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Yield every release of a service's component with its package version, the desired one first, then newest."""
    releases = {each.release.id: each.final_version for each in catalog.service(service.component).releases}
    others = [release for release in reversed(releases) if release != service.release]
    for release in (service.release, *others):
        yield release, service.versions.get(release) or releases[release]


def goal_of(service: Service, host: str) -> str:
    """Return the release that a host should run: its own override or the service's."""
    return service.overrides.get(host, service.release)


def held_back(service: Service) -> tuple[str, ...]:
    """Return the hosts that an override holds behind their service."""
    return tuple(name for name in service.hosts if goal_of(service, name) != service.release)


def _database(service: Service, name: str, catalog: Catalog, seen: Observations, *, expands: bool) -> DatabasePosition:
    component = catalog.service(service.component)
    match seen.databases.get((seen_as(service), name)):
        case Known(value=marker):
            return _marked(service, component, name, marker, expands=expands)
        case Absent():
            return _missing(component, name, f"database {name} does not exist")
        case Unknown(reason=reason, text=text):
            return DatabasePosition(name=name, block=_block(Reason(reason), f"database {name}: {text}"))
        case _:
            text = f"database {name} was not read yet"
            return DatabasePosition(name=name, block=_block(Reason.HOST_NOT_ASKED, text))


def _marked(
    service: Service, component: Component, name: str, marker: SchemaMarker, *, expands: bool
) -> DatabasePosition:
    found = identify(component, name, marker)
    if found.state is SchemaState.AT:
        return DatabasePosition(name=name, releases=found.releases, text=found.text)
    if found.state is SchemaState.EMPTY:
        return _missing(component, name, f"database {name}: {found.text}")
    if expands and (starts := _expanded_from(component, name, marker, service.release)):
        order = [each.release.id for each in component.releases]
        leads_to = tuple(each for each in order if _expanded_from(component, name, marker, each) == starts)
        return DatabasePosition(name=name, releases=starts, expanded=leads_to, text=found.text)
    block = _block(_BLOCKS[found.state], f"database {name}: {found.text}")
    return DatabasePosition(name=name, text=found.text, block=block)


def _lacking(component: Component, database: str) -> tuple[str, ...]:
    """Return the releases that do without a database: when it is missing, the service may be at any of them."""
    return tuple(
        each.release.id
        for each in component.releases
        if database not in each.schema or component.may_lack(database, each.release.id)
    )


def _missing(component: Component, name: str, text: str) -> DatabasePosition:
    """Place a database that is not there: before the release in which it must be, if the service can do without it."""
    early = _lacking(component, name)
    block = None if early else _block(Reason.DATABASE_EMPTY, text)
    return DatabasePosition(name=name, releases=early, text=text, block=block)


def _expands(procedure: Procedure | None) -> bool:
    """Tell whether a procedure expands the schema while the old release runs."""
    return procedure is not None and any(
        spec.action == "schema" and spec.args.get("mode") == Stage.EXPAND
        for phase in procedure.phases
        for spec in phase.steps
    )


def _expanded_from(component: Component, database: str, seen: SchemaMarker, goal: str) -> tuple[str, ...]:
    """Return the releases from which a goal's code has expanded a schema to exactly what is seen.

    On it both releases can run, and expanding again changes nothing: a leg may go on from there.
    """
    order = [each.release.id for each in component.releases]
    known = component.database(database)
    found = (
        start
        for start in order[: order.index(goal)]
        for stage in (Stage.EXPAND, Stage.MIGRATE)
        if matches(known, expected_after(component, database, start, goal, stage), seen)
    )
    return tuple(dict.fromkeys(found))


def _host(host: Host, builds: Builds, seen: Observations) -> HostPosition:
    match seen.hosts.get(host.name):
        case Known(value=report):
            return _reported(host, builds, report)
        case Unknown(reason=reason, text=text):
            return HostPosition(
                host=host.name,
                unknown=_block(Reason(reason), f"host {host.name}: {text.removeprefix(f'{host.name}: ')}", host.name),
            )
        case _:
            text = f"host {host.name} was not asked yet"
            return HostPosition(host=host.name, unknown=_block(Reason.HOST_NOT_ASKED, text))


def _reported(host: Host, builds: Builds, report: HostReport) -> HostPosition:
    service, found = builds.service, builds.on(host)
    goal = goal_of(service, host.name)
    build = found.get(goal)
    if build is None:
        block = _block(Reason.NO_BUILD, f"{service.name} has no build for {goal} on {host.name}")
        return HostPosition(host=host.name, unknown=block)
    unclear = _unclear(host.name, build, report) or _bare(service, host.name, build, report)
    environment = report.environments.get(build.link)
    return HostPosition(
        host=host.name,
        release=installed_release(found, report),
        drift=differences(build, service, host.name, report),
        unknown=unclear,
        link_path=environment.value.path if isinstance(environment, Known) else "",
        packages={name: p.value.version for name, p in report.packages.items() if isinstance(p, Known)},
        held=frozenset(name for name, p in report.packages.items() if isinstance(p, Known) and p.value.held),
        containers=frozenset(name for name, seen in report.containers.items() if isinstance(seen, Known)),
    )


def _unclear(host: str, build: Build, report: HostReport) -> Block | None:
    """Return why a host that answered is unknown all the same: part of its answer cannot be read."""
    containers = report.containers if build.form == "container" else {}
    parts = (report.environments, report.packages, report.units, report.configs, containers)
    for part in parts:
        for subject, observed in part.items():
            if isinstance(observed, Unknown):
                return _block(Reason(observed.reason), f"host {host}, {subject}: {observed.text}", host)
    return None


def _bare(service: Service, host: str, build: Build, report: HostReport) -> Block | None:
    """Return why a host that bears no build at all is left alone; that of another release may be of another form."""
    environments = [report.environments.get(build.link)] if build.form == "environment" else []
    names = {*build.packages, *(name for spec in service.builds.values() for name in spec.packages)}
    parts = [*environments, *(report.packages.get(name) for name in sorted(names))]
    if parts and all(isinstance(part, Absent) for part in parts):
        text = f"host {host} has no build of {service.name}"
        return _block(Reason.HOST_WITHOUT_BUILD, text, host)
    return None


def _start(
    service: Service,
    catalog: Catalog,
    databases: tuple[DatabasePosition, ...],
    hosts: tuple[HostPosition, ...],
    history: History,
) -> str:
    """Choose the release where a route starts (design.md, section 3, Position)."""
    order = [each.release.id for each in catalog.service(service.component).releases]
    if databases:
        possible = [release for release in order if all(release in d.releases for d in databases)]
    else:
        held = held_back(service)  # they stay where they are, and nobody waits for them
        seen = {host.release for host in hosts if host.release and host.host not in held}
        possible = [release for release in order if release in seen]
    remembered = _remembered(service.name, history)
    if remembered in possible:
        return remembered
    running = [release for release in possible if release in {host.release for host in hosts}]
    return next(iter(running or possible), "")


def _remembered(service: str, history: History) -> str:
    """Return the release that the newest ended run left the service at; empty when none did."""
    for run in reversed(history.runs):
        for route in run.plan.services:
            if route.service == service and run.ended in {"done", "backed_out", "superseded"}:
                return _left_at(run, route)
    return ""


def _left_at(run: Run, route: ServiceRoute) -> str:
    if run.ended == "done":
        return route.goal
    if run.ended == "backed_out":
        return route.start
    synced = [s for s in run.plan.steps if s.kind == "schema_sync" and s.service == route.service]
    left = next((s.hop for s in synced if not run.done(s.id)), "")  # a schema that is only expanded is not there yet
    return left.partition(">")[0] or (route.goal if synced else route.start)


def _no_release(service: Service, databases: tuple[DatabasePosition, ...], hosts: tuple[HostPosition, ...]) -> Block:
    stand = [f"database {d.name}: {', '.join(d.releases)}" for d in databases]
    stand += [f"{host.host}: {host.release or 'no build of this service'}" for host in hosts]
    return _block(Reason.POSITION_UNKNOWN, f"{service.name} stands at no one release ({'; '.join(stand)})")


def _block(reason: Reason, text: str, host: str = "") -> Block:
    return Block(str(reason), text, hint_of(reason, host=host))
