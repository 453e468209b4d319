"""Checks of a service against the catalog: its component, its releases, and what is said of each release."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from reconciler.desired.known import components, release_id, release_names, tools
from reconciler.desired.models import ServiceModel
from reconciler.desired.node import shown
from reconciler.desired.problem import Problem
from reconciler.desired.tree import Entry
from reconciler.desired.world import ALL_OTHERS, World
from reconciler.domain.release import near_miss

ServiceEntry = Entry[ServiceModel]


def check_component(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    """Yield a series, component or database that the catalog does not know."""
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


def check_commands(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    """Yield tools that no command of the component starts with."""
    name = world.component(entry, model)
    if name in components(world.catalog, model.series):
        known = tools(world.catalog.services[name])
        for tool in model.commands:
            if tool not in known:
                node = entry.node.at("commands", tool)
                yield node.key_problem(f"{name} has no tool {shown(tool)}", near_miss(tool, known, "tools"))


def check_releases(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    """Yield releases that the catalog does not know, and those that are named twice in one place."""
    if model.series not in world.catalog.series:
        return
    node = entry.node
    yield from _release(entry, model, world, model.release, node.at("release").problem)
    for name, override in model.overrides.items():
        yield from _release(entry, model, world, override.release, node.at("overrides", name, "release").problem)
    for key in ("versions", "builds", "config", "replacements"):
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


def check_builds(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    """Yield releases that are wanted but not built, and environments that releases would share."""
    if model.moved_by == "others":
        return
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


def check_versions(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    """Yield builds that ask for a version of which neither the catalog nor the service says what it is."""
    component = world.component(entry, model)
    if component not in components(world.catalog, model.series):
        return
    said = {world.release(model, name) for name in model.versions}
    unnumbered = {each.release.id for each in world.catalog.services[component].releases if not each.final_version}
    for name, build in model.builds.items():
        release = world.release(model, model.release if name == ALL_OTHERS else name)
        if release in unnumbered - said and "{version}" in build.model_dump_json():
            hint = f"name it under versions; distributions number packages of {component} themselves"
            yield entry.node.at("builds", name).key_problem(f"nothing says which {{version}} {release} is", hint)


def check_overrides(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    """Yield overrides that do not hold a host behind."""
    if model.series not in world.catalog.series:
        return
    order = [each.id for each in world.catalog.series[model.series].releases]
    goal = world.release(model, model.release)
    for name, override in model.overrides.items():
        held = world.release(model, override.release)
        if held in order and goal in order and order.index(held) >= order.index(goal):
            node = entry.node.at("overrides", name, "release")
            yield node.problem(f"{held} is not older than the service's {goal}", "an override holds a host behind")
