"""Divides hosts into waves; wave 0 is the canary."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.domain.desired import Canary, Host, Service


def waves(service: Service, hosts: Sequence[Host], among: Sequence[Host] = ()) -> tuple[tuple[Host, ...], ...]:
    """Return the canary alone, then waves of the sizes asked for, the last size repeating.

    The canary is one `among` those, by default any.
    """
    if not hosts:
        return ()
    canary = canary_of(service, among or hosts)
    rest = [host for host in hosts if host is not canary]
    found: list[tuple[Host, ...]] = [(canary,)]
    sizes, start = list(service.waves.sizes), 0
    while start < len(rest):
        size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
        found.append(tuple(rest[start : start + size]))
        start += size
    return tuple(found)


def canary_of(service: Service, hosts: Sequence[Host]) -> Host:
    """Return the host that goes first: one that the canary rule prefers, else the first in order."""
    return next((host for host in hosts if _fits(service.canary, host)), hosts[0])


def _fits(rule: Canary, host: Host) -> bool:
    key, _, value = rule.label.partition("=")
    return (
        (not rule.host or rule.host == host.name)
        and (not rule.zone or rule.zone == host.zone)
        and (not rule.label or host.labels.get(key) == value)
    )
