"""Checks of hosts in quarantine: that they are there, and that their services can do without them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.desired.checks_deployment import deployments
from reconciler.desired.node import Node, shown
from reconciler.desired.problem import Problem
from reconciler.desired.world import World
from reconciler.domain.release import near_miss


def check_quarantine(world: World) -> Iterator[Problem]:
    """Yield hosts that are not there or named twice, and services left without any, or without their bootstrap."""
    if not world.hosts_known:
        return
    places: dict[str, Node] = {}
    for entry in world.tree.quarantined:
        if entry.model is None:
            continue
        node, host = entry.node.at("host"), entry.model.host
        if host not in world.hosts:
            yield node.problem(f"unknown host {shown(host)}", near_miss(host, world.hosts, "hosts"))
        elif host in places:
            yield node.problem(f"host {host} is listed twice", "remove one of the two")
        places.setdefault(host, node)
    yield from _needed(places, world)


def _needed(places: Mapping[str, Node], world: World) -> Iterator[Problem]:
    for entry in world.tree.services.values():
        for _, model in deployments(entry):
            names = [host.name for host in world.targets(model)]
            away = [name for name in names if name in places]
            if away and len(away) == len(names):
                what = f"service {entry.name} would have no host left"
                yield places[away[-1]].problem(what, "take the service's release back, or leave one host in")
            elif away and (bootstrap := model.bootstrap or names[0]) in away:
                what = f"host {bootstrap} runs the schema commands of {entry.name}"
                yield places[bootstrap].problem(what, f"name another one as bootstrap of {entry.name} meanwhile")
