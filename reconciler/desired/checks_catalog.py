"""Checks of what a site adds to the catalog, once all of it is there: rules that name other components."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.catalog.names import wrong_names
from reconciler.desired.node import Node
from reconciler.desired.problem import Problem
from reconciler.desired.world import World
from reconciler.domain.catalog import Catalog
from reconciler.domain.rule import RELATING


def check_relations(nodes: list[Node], catalog: Catalog) -> Iterator[Problem]:
    """Yield the rules of a site that relate a service to what is not there: they could never be kept."""
    for node in nodes:
        rules = node.at("rules").content
        for each in rules if isinstance(rules, tuple) else ():
            yield from _rule(each, _text(each, "service") or _text(node, "service"), catalog)


def exposing_rules(world: World) -> Iterator[str]:
    """Yield the rules of components in use that relate them to others in exposed fleets only."""
    for entry in world.tree.services.values():
        service = world.catalog.services.get(world.component(entry, entry.model)) if entry.model else None
        yield from (rule.id for rule in (service.rules if service else ()) if rule.exposed and rule.kind in RELATING)


def _rule(node: Node, owner: str, catalog: Catalog) -> Iterator[Problem]:
    service = catalog.services.get(owner)  # none: a rule of a whole series, which names no other component
    rules = service.rules if service else ()
    rule = next((each for each in rules if each.id == _text(node, "id")), None)
    if service and rule and rule.kind in RELATING:
        for text in wrong_names(rule, service.series, catalog):
            yield node.problem(text, "`reconciler catalog show SERVICE` lists what there is")


def _text(node: Node, key: str) -> str:
    below = node.below(key)
    return str(below.content) if below is not None else ""
