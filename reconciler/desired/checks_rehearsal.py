"""Checks of rehearsals: nothing that serves may be what they work on.

A schema tool writes to whatever its configuration names. So a rehearsal has files and commands of its own on any host,
and its files name its own databases and none that serves, of whatever service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.desired.checks_release import ServiceEntry
from reconciler.desired.models import DatabaseModel, ServiceModel
from reconciler.desired.node import Node
from reconciler.desired.problem import Problem
from reconciler.desired.world import World, rehearsed
from reconciler.domain.dburl import DbEndpoint, parse_url
from reconciler.domain.placeholder import fill

Place = tuple[str, str]
"""The server, or nothing for a file, and the name of a database there; accounts and defaults make no difference."""


def check_rehearsal(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    """Yield databases that serve, and configuration or commands that could reach one."""
    if model.rehearsal is None:
        return
    node, scratch = entry.node.at("rehearsal"), rehearsed(model)
    serving = _serving(world)
    for name in model.databases:
        found = model.rehearsal.databases.get(name)
        if found is None or _places(found) & serving:
            what = f"the rehearsal has no database of its own in the place of {name}"
            yield node.key_problem(what, "name a scratch database from which no service serves")
    if not model.databases:
        yield node.key_problem("a service without databases has nothing to rehearse", "take it out")
    yield from _own(node, model, scratch)
    yield from _named(node, model, world, serving)
    names = {host.name for host in world.targets(model)}
    there = {host.name for host in world.targets(scratch)} or names
    if there & names:
        yield from _beside(node, model, scratch)


def _serving(world: World) -> frozenset[Place]:
    """Return the databases of all deployments of all services."""
    models = [entry.model for entry in world.tree.services.values() if entry.model is not None]
    own = [each for model in models for each in model.databases.values()]
    others = [each for model in models for more in model.replacements.values() for each in more.databases.values()]
    return frozenset(place for each in (*own, *others) for place in _places(each))


def _places(model: DatabaseModel) -> frozenset[Place]:
    return frozenset(_place(url) for url in (model.url, model.host_url) if url)


def _place(url: str) -> Place:
    try:
        found = parse_url(url)
    except ValueError:
        return "", url
    if found.engine == "sqlite":
        return "", found.path
    return f"{found.socket or found.host.lower()}:{found.port}", found.dbname


def _own(node: Node, model: ServiceModel, scratch: ServiceModel) -> Iterator[Problem]:
    """Yield what the rehearsal would take from the service: its files and commands reach what serves."""
    assert model.rehearsal is not None
    given = model.rehearsal.model_fields_set
    paths = {each.path for files in scratch.config.values() for each in files}
    if "config" not in given or not paths:
        hint = "name files under its `config`, with the scratch databases in them"
        yield node.key_problem("the rehearsal needs configuration files of its own", hint)
    if "commands" not in given or not scratch.commands:
        yield node.key_problem("the rehearsal has no commands of its own", "say under `commands` how tools are called")
    elif not all(any(path in word for path in paths for word in argv) for argv in scratch.commands.values()):
        what = "a command of the rehearsal names none of its configuration files"
        yield node.key_problem(what, "give each tool under its `commands` the file to read")


def _named(node: Node, model: ServiceModel, world: World, serving: frozenset[Place]) -> Iterator[Problem]:
    """Yield files that name a database that serves, or of which none names a scratch database."""
    assert model.rehearsal is not None
    words = dict(model.vars) | dict(model.rehearsal.vars)
    sources = {each.source for files in model.rehearsal.config.values() for each in files}
    texts = {source: fill(world.tree.texts[source], words) for source in sorted(sources) if source in world.tree.texts}
    for source, text in texts.items():
        for name in sorted({name for _, name in serving if _names(text, name)}):
            what = f"{source} names {name}, from which a service serves"
            yield node.key_problem(what, "name the scratch database there")
    for database in model.rehearsal.databases.values():
        endpoint = _endpoint(database.url)
        if endpoint and texts and not any((endpoint.dbname or endpoint.path) in text for text in texts.values()):
            what = f"no configuration file of the rehearsal names {endpoint.dbname or endpoint.path}"
            yield node.key_problem(what, "the tool would write to whatever else its configuration names")


def _endpoint(url: str) -> DbEndpoint | None:
    try:
        return parse_url(url)
    except ValueError:
        return None


def _names(text: str, name: str) -> bool:
    """Tell whether a text names a database: as a file, at the end of a URL, or as the whole value of an option."""
    word = re.escape(name)
    if name.startswith("/"):
        return re.search(rf"{word}(?![\w.-])", text) is not None
    url, option = rf"//[^\s/]*/{word}(?![\w-])", rf"^[^#\n]*[=:][ \t]*[\"']?{word}[\"']?[ \t]*$"
    return re.search(f"{url}|{option}", text, re.MULTILINE) is not None


def _beside(node: Node, model: ServiceModel, scratch: ServiceModel) -> Iterator[Problem]:
    """Yield what would be changed of a service on whose host its rehearsal is done."""
    own = {each.path for files in model.config.values() for each in files}
    paths = {each.path for files in scratch.config.values() for each in files}
    if paths & own:
        what = "on a host that serves, the rehearsal would replace the service's own configuration"
        yield node.key_problem(what, "name other paths under its `config`")
    if any(each.environment is None for each in scratch.builds.values()):
        what = "on a host that serves, packages cannot be rehearsed without replacing what runs"
        yield node.key_problem(what, "give the rehearsal a host of its own, or builds of the form environment")
