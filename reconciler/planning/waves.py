"""Divides hosts into waves; wave 0 is the canary."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.domain.desired import Canary, Host, Service


def waves(service: Service, hosts: Sequence[Host]) -> tuple[tuple[Host, ...], ...]:
    """Return the canary alone, then waves of the sizes asked for, the last size repeating.

    A host that the canary rule prefers goes first; when none fits, the first host in order does.
    """
    if not hosts:
        return ()
    canary = next((host for host in hosts if _fits(service.canary, host)), hosts[0])
    rest = [host for host in hosts if host is not canary]
    found: list[tuple[Host, ...]] = [(canary,)]
    sizes = list(service.waves.sizes)
    while rest:
        size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
        found.append(tuple(rest[:size]))
        rest = rest[size:]
    return tuple(found)


def _fits(rule: Canary, host: Host) -> bool:
    key, _, value = rule.label.partition("=")
    return (
        (not rule.host or rule.host == host.name)
        and (not rule.zone or rule.zone == host.zone)
        and (not rule.label or host.labels.get(key) == value)
    )
