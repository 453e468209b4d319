"""Services that share hosts, and go over them together."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.planning.leg import Leg


def crews(legs: Sequence[Leg]) -> list[tuple[Leg, ...]]:
    """Divide legs into those that share hosts; a crew has a host that bears all of it, which is its canary.

    A leg that shares hosts with some of a crew only, so that no host would bear all, stands by itself.
    """
    found: list[tuple[list[Leg], set[str]]] = []
    for leg in legs:
        hosts = set(leg.names)
        mates = next((each for each in found if hosts & each[1]), None)
        if mates is None:
            found.append(([leg], hosts))
        else:
            mates[0].append(leg)
            mates[1].intersection_update(hosts)
    return [tuple(members) for members, _ in found]
