"""Takes hosts that git has put into quarantine out of their services, until the day that it names. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from reconciler.domain.desired import Deployment, Desired, Service

Members = tuple[str, ...]


def in_force(desired: Desired, today: date) -> Desired:
    """Return a desired state without its quarantined hosts as targets; a quarantine holds to the end of its day, UTC.

    They are looked at all the same, and what is left in `quarantined` says whose targets they are.
    """
    holding = [each for each in desired.quarantined if today <= each.until]
    if not desired.quarantined:
        return desired
    hosts = frozenset(each.host for each in holding)
    services = {name: _without(service, hosts) for name, service in desired.services.items()}
    told = tuple(replace(each, services=_bearing(each.host, desired.services)) for each in holding)
    return replace(desired, services=services, quarantined=told)


def away(desired: Desired) -> frozenset[str]:
    """Return the hosts that are in quarantine."""
    return frozenset(each.host for each in desired.quarantined)


def hosts_of(service: str, desired: Desired) -> Members:
    """Return the quarantined hosts of a service."""
    return tuple(each.host for each in desired.quarantined if service in each.services)


def _bearing(host: str, services: Mapping[str, Service]) -> Members:
    found = (
        name
        for name, service in services.items()
        if host in service.hosts or any(host in each.hosts for each in service.replacements.values())
    )
    return tuple(found)


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
