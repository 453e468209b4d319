"""Takes hosts that git has put into quarantine out of their services, until the day that it names. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from reconciler.domain.desired import Deployment, Desired, Service
from reconciler.domain.memo import memo
from reconciler.domain.observation import HostReport, Known, Observations
from reconciler.domain.procedure import Phase
from reconciler.domain.quarantine import Aside
from reconciler.domain.run import History, Run
from reconciler.planning.deployments import bearing
from reconciler.planning.put_back import put_back_since

Members = tuple[str, ...]


def in_force(desired: Desired, today: date) -> Desired:
    """Return a desired state without its quarantined hosts as targets; a quarantine holds to the end of its day, UTC.

    They are looked at all the same, their services too: what is left in `quarantined` says which they bear.
    """
    return _in_force(desired, today) if desired.quarantined else desired


@memo
def _in_force(desired: Desired, today: date) -> Desired:
    holding = [each for each in desired.quarantined if today <= each.until]
    hosts = frozenset(each.host for each in holding)
    services = {name: _without(service, hosts) for name, service in desired.services.items()}
    told = tuple(replace(each, bears=_borne(each.host, desired)) for each in holding)
    return replace(desired, services=services, quarantined=told)


def away(desired: Desired) -> frozenset[str]:
    """Return the hosts that are in quarantine."""
    return frozenset(each.host for each in desired.quarantined)


def hosts_of(service: str, desired: Desired) -> Members:
    """Return the quarantined hosts of a service."""
    return tuple(each.host for each in desired.quarantined if service in each.services)


def aside_of(desired: Desired, seen: Observations) -> tuple[Aside, ...]:
    """Return what was seen of each quarantined host, for each service that it bears."""
    return tuple(_aside(service, each.host, seen) for each in desired.quarantined for service in each.bears)


def waiting_since(service: str, run: Run, gone: frozenset[str]) -> int | None:
    """Return the entry by which all of a service was done that comes before its rows are changed, hosts gone left out.

    That is before its schema steps, and on the way back before they are put back. None while something of it is not.
    """
    if run.going_back:
        return put_back_since(service, run, gone)
    before = {Phase.QUIESCE, Phase.BACKUP, Phase.LOAD}
    steps = [each for each in run.plan.steps if each.service == service and each.phase in before]
    here = [each for each in steps if each.host not in gone]
    ends = [last.ended_with for each in here if (last := run.last(each.id)) and run.done(each.id)]
    return max(ends, default=None) if len(ends) == len(here) else None


def ask_since(desired: Desired, history: History) -> Iterator[int]:
    """Yield since which entries hosts in quarantine must be asked, for the schema steps and restores of open runs."""
    gone = away(desired)
    services = {name for each in desired.quarantined for name in each.services}
    for run in history.runs:
        if not run.ended:
            found = (waiting_since(name, run, gone) for name in services)
            yield from (since for since in found if since is not None)


def _aside(service: Service, host: str, observations: Observations) -> Aside:
    seen = observations.hosts.get(host)
    runs = tuple(_running(service, seen.value)) if isinstance(seen, Known) else ()
    return Aside(service=service.name, host=host, runs=runs, asked=observations.after if seen else None)


def _running(service: Service, report: HostReport) -> Iterator[str]:
    """Yield the units and containers of a service that run; a unit that is about to start or to end runs too."""
    for name in service.units:
        unit = report.units.get(name)
        if isinstance(unit, Known) and unit.value.state not in {"inactive", "failed"}:
            yield f"unit {name}"
    for name in sorted({each.name for build in service.builds.values() for each in build.containers}):
        container = report.containers.get(name)
        if isinstance(container, Known) and container.value.state == "running":
            yield f"container {name}"


def _borne(host: str, desired: Desired) -> tuple[Service, ...]:
    found = (bearing(service, host) for service in desired.services.values())
    return tuple(each for each in found if each is not None)


def _without(service: Service, hosts: frozenset[str]) -> Service:
    if hosts.isdisjoint(service.hosts) and not any(hosts & set(each.hosts) for each in service.replacements.values()):
        return service
    others: dict[str, Deployment] = {
        name: replace(each, hosts=_left(each.hosts, hosts)) for name, each in service.replacements.items()
    }
    overrides = {host: release for host, release in service.overrides.items() if host not in hosts}
    terms = {host: term for host, term in service.override_terms.items() if host not in hosts}
    return replace(
        service,
        hosts=_left(service.hosts, hosts),
        replacements=others,
        overrides=overrides,
        override_terms=terms,
    )


def _left(members: Members, hosts: frozenset[str]) -> Members:
    return tuple(name for name in members if name not in hosts)
