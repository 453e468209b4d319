"""Checks that span the tree: names that must exist, hosts that must be there, rules between keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from reconciler.desired.checks_catalog import exposing_rules
from reconciler.desired.checks_deployment import check_moved, check_procedure, check_replacements, deployments
from reconciler.desired.checks_quarantine import check_quarantine
from reconciler.desired.checks_rehearsal import check_rehearsal
from reconciler.desired.checks_release import (
    ServiceEntry,
    check_builds,
    check_commands,
    check_component,
    check_overrides,
    check_releases,
    check_versions,
)
from reconciler.desired.checks_text import check_actions, check_placeholders, check_probes
from reconciler.desired.models import ServiceModel
from reconciler.desired.node import Node, shown
from reconciler.desired.problem import Problem
from reconciler.desired.ranges import MAX_HOSTS, expand
from reconciler.desired.tree import Tree, case_twins
from reconciler.desired.world import World
from reconciler.domain.release import near_miss

MEMBERS = 3
"""How many hosts a quorum needs at least, so that one can be missed."""

NOT_EXPOSED = "not-exposed"
GATES = ("alerts", "approvals", "backups", "disk_space", "halts", "quarantine", "rehearsal", "repeats", "windows")
RISKS = ("data-loss", "hold", *GATES, NOT_EXPOSED)
Check = Callable[[ServiceEntry, ServiceModel, World], Iterator[Problem]]


def check_tree(world: World) -> Iterator[Problem]:
    """Yield every problem of the whole tree, but for hosts and procedures."""
    tree = world.tree
    for section in (tree.groups, tree.services, tree.probes, tree.procedures):
        yield from case_twins((entry.name, entry.node) for entry in section.values())
    yield from _groups(tree)
    yield from _accepts(world)
    yield from _of_groups(world)
    yield from check_quarantine(world)
    yield from check_probes(world)
    for entry in tree.services.values():
        yield from check_moved(entry)
        for each, model in deployments(entry):
            for check in CHECKS:
                yield from check(each, model, world)


def _groups(tree: Tree) -> Iterator[Problem]:
    owner: dict[str, str] = {}
    for entry in tree.groups.values():
        for place, name in enumerate(entry.model.services if entry.model else ()):
            node = entry.node.at("services", place)
            if name not in tree.services:
                yield node.problem(f"unknown service {shown(name)}", near_miss(name, tree.services, "services"))
            elif name in owner:
                what = f"service {name} is listed a second time, first in group {owner[name]}"
                yield node.problem(what, "a service is in one group, once")
            owner.setdefault(name, entry.name)
    for entry in tree.groups.values():
        if entry.name in tree.services and owner.get(entry.name) != entry.name:
            hint = "a service in no group is a group of its own name; rename the group or put the service in"
            yield entry.node.key_problem(f"group {entry.name} has the name of a service that is not in it", hint)


def _of_groups(world: World) -> Iterator[Problem]:
    """Yield groups that a window or an alert names and that are not there, and alerts that nobody can be asked for."""
    fleet, tree = world.tree.fleet, world.tree
    grouped = {name for entry in tree.groups.values() if entry.model for name in entry.model.services}
    groups = {*tree.groups, *(name for name in tree.services if name not in grouped)}
    if fleet is None or tree.fleet_node is None:
        return
    named = [("windows", name, each.groups) for name, each in fleet.windows.items()]
    named += [("alerts", name, each.groups) for name, each in fleet.alerts.items()]
    for key, name, listed in named:
        for place, group in enumerate(listed):
            if group not in groups:
                node = tree.fleet_node.at(key, name, "groups", place)
                yield node.problem(f"unknown group {shown(group)}", near_miss(group, groups, "groups"))
    if fleet.alerts and fleet.prometheus is None:
        yield tree.fleet_node.at("alerts").key_problem("nobody can be asked for alerts", "name fleet.prometheus")


def _accepts(world: World) -> Iterator[Problem]:
    for entry in world.tree.accepts:
        if entry.model is not None:
            node = entry.node.at("what")
            risk, _, subject = entry.model.what.partition(":")
            if risk not in RISKS:
                yield node.problem(f"unknown risk {shown(risk)}", near_miss(risk, RISKS, "risks"))
            if risk == NOT_EXPOSED:
                known = sorted(exposing_rules(world))
                if subject not in known:
                    what = f"no rule {shown(subject)} asks whether this fleet is exposed"
                    yield node.problem(what, near_miss(subject, known, "rules"))
            elif subject not in world.tree.services:
                hint = near_miss(subject, world.tree.services, "services")
                yield node.problem(f"unknown service {shown(subject)}", hint)


def _hosts(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    node = entry.node
    if model.max_unavailable == "quorum" and world.hosts_known and 0 < len(world.targets(model)) < MEMBERS:
        hint = "a cluster of fewer than three loses its quorum with any host; name a number"
        yield node.at("max_unavailable").problem("no host could ever be taken out of work", hint)
    if model.hosts and model.roles:
        yield node.at("roles").key_problem("a service has either hosts or roles, not both", "remove one of the two")
    if not model.hosts and not model.roles:
        yield node.key_problem("the service has no hosts", "name them under hosts or roles")
    yield from _listed(node, model, world)
    if not world.hosts_known:
        return
    roles = {role for each in world.hosts.values() if each.host for role in each.host.roles}
    for place, role in enumerate(model.roles):
        if role not in roles:
            yield node.at("roles", place).problem(f"no host has role {shown(role)}", near_miss(role, roles, "roles"))


def _listed(node: Node, model: ServiceModel, world: World) -> Iterator[Problem]:
    counts: Counter[str] = Counter()
    for place, pattern in enumerate(model.hosts):
        try:
            names = expand(pattern)
        except ValueError as error:
            yield node.at("hosts", place).problem(f"the host name {error}")
            continue
        here = node.at("hosts", place)
        counts.update(names)
        unknown = next((name for name in names if name not in world.hosts), None)
        twice = next((name for name in names if counts[name] > 1), None)
        if unknown is not None:
            yield from _host(here, unknown, world)
        if twice is not None:
            yield here.problem(f"host {twice} is listed twice", "remove one of the two")
        if counts.total() > MAX_HOSTS:
            yield here.problem(f"more than {MAX_HOSTS} hosts are listed", "a service's hosts are listed once each")
            return


def _host(node: Node, name: str, world: World, *, on_key: bool = False) -> Iterator[Problem]:
    if name not in world.hosts:
        complain = node.key_problem if on_key else node.problem
        yield complain(f"unknown host {shown(name)}", near_miss(name, world.hosts, "hosts"))


def _chosen_hosts(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    """Check that bootstrap, canary and overrides are hosts of the service."""
    targets = [host.name for host in world.targets(model)]
    if not targets or not world.hosts_known:
        return
    chosen = [
        (model.bootstrap, entry.node.at("bootstrap"), False),
        (model.canary.host, entry.node.at("canary", "host"), False),
    ]
    chosen += [(name, entry.node.at("overrides", name), True) for name in model.overrides]
    for name, node, on_key in chosen:
        if name in world.hosts and name not in targets:
            complain = node.key_problem if on_key else node.problem
            yield complain(f"host {name} is not one of the service's", near_miss(name, targets, "hosts of it"))
        elif name and not on_key and name in model.overrides:
            yield node.problem(f"host {name} is held behind by an override", "choose a host that moves")
        elif name:
            yield from _host(node, name, world, on_key=on_key)
    if set(targets) <= set(model.overrides):
        hint = "name the older release as the service's own, or let a host move"
        yield entry.node.at("overrides").key_problem("every host of the service is held behind", hint)


def _canary(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    targets = world.targets(model)
    canary = model.canary
    names = {each.name for each in targets} - set(model.overrides)
    if not names or not world.hosts_known or (canary.host and canary.host not in names):
        return
    key, _, value = canary.label.partition("=")
    for host in targets:
        if host.name in model.overrides:
            continue
        fits_role = canary.role in {"", *host.roles}
        fits_label = not canary.label or host.labels.get(key) == value
        if canary.host in {"", host.name} and canary.zone in {"", host.zone} and fits_role and fits_label:
            return
    hint = "one of the service's hosts that move must fit all its keys"
    yield entry.node.at("canary").key_problem("the canary selects no host", hint)


def _backup(entry: ServiceEntry, model: ServiceModel, _: World) -> Iterator[Problem]:
    if model.databases and model.backup is None:
        hint = "no schema step is taken without a backup set; add 'backup: {dir: ...}'"
        yield entry.node.key_problem("the service has databases but no place for backups", hint)


def _young_backup(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    """Yield a word on the age of sets for a service of which nothing makes one before its leg does."""
    common = world.tree.fleet.backups.within_hours if world.tree.fleet else None
    if model.databases and (model.backups.within_hours or common) and model.rehearsal is None:
        hint = "a rehearsal makes and tries one: say how under 'rehearsal', or take 'within_hours' out"
        yield entry.node.key_problem("nothing makes the young backup set that 'backups' asks for", hint)


def _units(entry: ServiceEntry, model: ServiceModel, _: World) -> Iterator[Problem]:
    for place, unit in enumerate(model.units):
        if unit in model.units[:place]:
            yield entry.node.at("units", place).problem(f"unit {unit} is listed twice", "remove one of the two")


CHECKS: tuple[Check, ...] = (
    check_component,
    check_commands,
    check_releases,
    check_procedure,
    check_replacements,
    check_rehearsal,
    _hosts,
    _chosen_hosts,
    _canary,
    _backup,
    _young_backup,
    check_builds,
    check_versions,
    check_overrides,
    _units,
    check_placeholders,
    check_actions,
)
