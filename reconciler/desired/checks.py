"""Checks that span the tree: names that must exist, hosts that must be there, rules between keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from reconciler.desired.checks_text import check_placeholders, check_probes
from reconciler.desired.known import components, release_id, release_names
from reconciler.desired.models import ServiceModel
from reconciler.desired.node import Node, shown
from reconciler.desired.problem import Problem, near_miss
from reconciler.desired.ranges import expand
from reconciler.desired.tree import Entry, Tree, case_twins
from reconciler.desired.world import ALL_OTHERS, World

ServiceEntry = Entry[ServiceModel]
Check = Callable[[ServiceEntry, ServiceModel, World], Iterator[Problem]]


def check_tree(world: World) -> Iterator[Problem]:
    """Yield every problem of the whole tree, but for hosts and procedures."""
    tree = world.tree
    for section in (tree.groups, tree.services, tree.probes, tree.procedures):
        yield from case_twins((entry.name, entry.node) for entry in section.values())
    yield from _groups(tree)
    yield from _accepts(world)
    yield from check_probes(world)
    for entry in tree.services.values():
        if entry.model is not None:
            for check in CHECKS:
                yield from check(entry, entry.model, world)


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


def _accepts(world: World) -> Iterator[Problem]:
    known = {*world.tree.services, *world.hosts, *world.tree.groups}
    for entry in world.tree.accepts:
        if entry.model is not None:
            for name in entry.model.what.partition(":")[2].split("@"):
                if name not in known:
                    node = entry.node.at("what")
                    yield node.problem(f"unknown service, host or group {shown(name)}", near_miss(name, known))


def _component(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    catalog = world.catalog
    if model.series not in catalog.series:
        node = entry.node.at("series")
        yield node.problem(f"unknown series {shown(model.series)}", near_miss(model.series, catalog.series, "series"))
        return
    known = components(catalog, model.series)
    name = world.component(entry, model)
    if name not in known:
        what = f"the catalog has no component {shown(name)} in series {model.series}"
        hint = near_miss(name, known, "components")
        if model.component:
            yield entry.node.at("component").problem(what, hint)
        else:
            yield entry.node.key_problem(what, f"name it under component; {hint}")
        return
    databases = catalog.services[name].databases
    for each in model.databases:
        if each not in databases:
            node = entry.node.at("databases", each)
            yield node.key_problem(f"{name} has no database {shown(each)}", near_miss(each, databases, "databases"))


def _releases(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    if model.series not in world.catalog.series:
        return
    node = entry.node
    yield from _release(entry, model, world, model.release, node.at("release").problem)
    for name, override in model.overrides.items():
        yield from _release(entry, model, world, override.release, node.at("overrides", name, "release").problem)
    for key in ("versions", "builds", "config"):
        seen: dict[str, str] = {}
        for name in getattr(model, key):
            place = node.at(key, name)
            if name != ALL_OTHERS:
                yield from _release(entry, model, world, name, place.key_problem)
            first = seen.setdefault(world.release(model, name), name)
            if first != name:
                yield place.key_problem(f"{name} is another name of {first}, which is there too", "remove one")


def _release(
    entry: ServiceEntry, model: ServiceModel, world: World, name: str, complain: Callable[[str, str], Problem]
) -> Iterator[Problem]:
    found = release_id(world.catalog, model.series, name)
    if found is None:
        known = release_names(world.catalog, model.series)
        yield complain(f"unknown release {shown(name)} of series {model.series}", near_miss(name, known, "releases"))
        return
    component = world.component(entry, model)
    if component in components(world.catalog, model.series):
        has = [each.release.id for each in world.catalog.services[component].releases]
        if found not in has:
            yield complain(f"the catalog has no release {name} of {component}", near_miss(name, has, "releases"))


def _procedure(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    known = world.tree.procedures
    if model.procedure not in known:
        hint = near_miss(model.procedure, known, "procedures")
        yield entry.node.at("procedure").problem(f"unknown procedure {shown(model.procedure)}", hint)


def _hosts(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    node = entry.node
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
        for name in names:
            yield from _host(node.at("hosts", place), name, world)
            counts[name] += 1
            if counts[name] == 2:
                yield node.at("hosts", place).problem(f"host {name} is listed twice", "remove one of the two")


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
        elif name:
            yield from _host(node, name, world, on_key=on_key)


def _canary(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    targets = world.targets(model)
    canary = model.canary
    if not targets or not world.hosts_known or (canary.host and canary.host not in [each.name for each in targets]):
        return
    key, _, value = canary.label.partition("=")
    for host in targets:
        fits_label = not canary.label or host.labels.get(key) == value
        if canary.host in {"", host.name} and canary.zone in {"", host.zone} and fits_label:
            return
    hint = "one of the service's hosts must fit all its keys"
    yield entry.node.at("canary").key_problem("the canary selects no host", hint)


def _backup(entry: ServiceEntry, model: ServiceModel, _: World) -> Iterator[Problem]:
    if model.databases and model.backup is None:
        hint = "no schema step is taken without a backup set; add 'backup: {dir: ...}'"
        yield entry.node.key_problem("the service has databases but no place for backups", hint)


def _builds(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    built = {world.release(model, name) for name in model.builds}
    goals = [(model.release, entry.node.at("release"))]
    goals += [(each.release, entry.node.at("overrides", name, "release")) for name, each in model.overrides.items()]
    for name, node in goals:
        if ALL_OTHERS not in built and world.release(model, name) not in built:
            yield node.problem(f"builds do not say what release {name} is on a host", "add it, or '*' for all others")
    paths: dict[str, str] = {}
    for name, build in model.builds.items():
        if build.environment is None:
            continue
        path, place = build.environment.path, entry.node.at("builds", name, "environment", "path")
        if path == build.environment.link:
            yield place.problem("path and link are the same", "the link points to the environment in use")
        if "{release}" in path or "{version}" in path:
            continue
        if name == ALL_OTHERS or paths.setdefault(path, name) != name:
            hint = "put {release} or {version} into it, so that the next one is prepared while this one runs"
            yield place.problem("several releases would share this environment", hint)


def _behind(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    if model.series not in world.catalog.series:
        return
    order = [each.id for each in world.catalog.series[model.series].releases]
    goal = world.release(model, model.release)
    for name, override in model.overrides.items():
        held = world.release(model, override.release)
        if held in order and goal in order and order.index(held) >= order.index(goal):
            node = entry.node.at("overrides", name, "release")
            yield node.problem(f"{held} is not older than the service's {goal}", "an override holds a host behind")


def _units(entry: ServiceEntry, model: ServiceModel, _: World) -> Iterator[Problem]:
    for place, unit in enumerate(model.units):
        if unit in model.units[:place]:
            yield entry.node.at("units", place).problem(f"unit {unit} is listed twice", "remove one of the two")


CHECKS: tuple[Check, ...] = (
    _component,
    _releases,
    _procedure,
    _hosts,
    _chosen_hosts,
    _canary,
    _backup,
    _builds,
    _behind,
    _units,
    check_placeholders,
)
