"""Divides hosts into waves; wave 0 is the canary, and each further role has one of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from reconciler.domain.desired import Canary, Host, Percent, Service

NOWHERE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wave:
    """Hosts that move side by side; a canary moves alone and `leads` its role, where the service goes over several."""

    hosts: tuple[Host, ...]
    leads: str = ""


def waves(
    service: Service, hosts: Sequence[Host], among: Sequence[Host] = (), there: Collection[str] = NOWHERE
) -> tuple[Wave, ...]:
    """Return the canary alone, then waves of the sizes asked for, the last size repeating; role after role.

    A canary is one `among` those, by default any; hosts that are `there` already prove nothing as one. The role
    of the canary comes first, the others as the service names them.
    """
    if not hosts:
        return ()
    first = canary_of(service, among or hosts, there)
    parts = by_role(service, hosts)
    order = sorted(parts, key=lambda role: first not in parts[role])
    return tuple(
        wave
        for role in order
        for wave in _of_role(service, parts[role], [host for host in among if host in parts[role]], there, role)
    )


def by_role(service: Service, hosts: Iterable[Host]) -> dict[str, list[Host]]:
    """Divide hosts by the first role of the service that each has; all are under no name where that makes no parts."""
    parts: dict[str, list[Host]] = {role: [] for role in service.roles}
    for host in hosts:
        parts.setdefault(next((role for role in service.roles if role in host.roles), ""), []).append(host)
    found = {role: members for role, members in parts.items() if members}
    return found if len(found) > 1 else {"": [host for members in found.values() for host in members]}


def _of_role(
    service: Service, hosts: Sequence[Host], among: Sequence[Host], there: Collection[str], role: str
) -> Iterator[Wave]:
    """Divide the hosts of a role. Where waves go by zone, none spans two: the canary's first, then as hosts come."""
    canary = canary_of(service, among or hosts, there)
    rest = [host for host in hosts if host is not canary]
    zones = [rest]
    if service.waves.by == "zone":
        order = list(dict.fromkeys((canary.zone, *(host.zone for host in rest))))
        rest.sort(key=lambda host: order.index(host.zone))
        zones = [list(found) for _, found in groupby(rest, key=lambda host: host.zone)]
    sizes = _sizes(service, len(hosts))
    yield Wave((canary,), role)
    yield from (Wave(wave) for zone in zones for wave in _cut(zone, sizes))


def canary_of(service: Service, hosts: Sequence[Host], there: Collection[str] = NOWHERE) -> Host:
    """Return the host that goes first: one that the canary rule prefers and that is not there yet, else the first."""
    ordered = [host for members in by_role(service, hosts).values() for host in members]
    fitting = [host for host in ordered if _fits(service.canary, host)] or ordered
    return next((host for host in fitting if host.name not in there), fitting[0])


def unfit_canary(service: Service, hosts: Sequence[Host], there: Collection[str]) -> str:
    """Say why no host that moves is fit to be the canary that git asks for; empty where one is."""
    rule = service.canary
    if not hosts or replace(rule, soak_s=0.0) == Canary():
        return ""
    fitting = [host for host in hosts if _fits(rule, host)]
    if not fitting:
        return "no host that moves is the canary that it asks for"
    if all(host.name in there for host in fitting):
        return f"{', '.join(host.name for host in fitting[:3])} runs the goal already, and would prove nothing"
    return ""


def _sizes(service: Service, count: int) -> Iterator[int]:
    """Yield the size of each wave for ever; a percentage is of all hosts of the role that move, rounded up."""
    size = 1
    for each in service.waves.sizes:
        size = -(-count * each.of_100 // 100) if isinstance(each, Percent) else each
        yield size
    while True:
        yield size


def _cut(hosts: Sequence[Host], sizes: Iterator[int]) -> Iterator[tuple[Host, ...]]:
    start = 0
    while start < len(hosts):
        size = next(sizes)
        yield tuple(hosts[start : start + size])
        start += size


def _fits(rule: Canary, host: Host) -> bool:
    key, _, value = rule.label.partition("=")
    return (
        (not rule.host or rule.host == host.name)
        and (not rule.zone or rule.zone == host.zone)
        and (not rule.role or rule.role in host.roles)
        and (not rule.label or host.labels.get(key) == value)
    )
