"""Checks of rehearsals: nothing that serves may be what they work on."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.desired.checks_release import ServiceEntry
from reconciler.desired.models import ServiceModel
from reconciler.desired.node import Node
from reconciler.desired.problem import Problem
from reconciler.desired.world import World, rehearsed


def check_rehearsal(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    """Yield databases that serve, and what a rehearsal would change on a host that serves."""
    if model.rehearsal is None:
        return
    node, scratch = entry.node.at("rehearsal"), rehearsed(model)
    serving = {each.url for each in model.databases.values()}
    serving |= {each.url for second in model.replacements.values() for each in second.databases.values()}
    for name in model.databases:
        found = model.rehearsal.databases.get(name)
        if found is None or found.url in serving:
            what = f"the rehearsal has no database of its own in the place of {name}"
            yield node.key_problem(what, "name a scratch database that nothing serves from")
    if not model.databases:
        yield node.key_problem("a service without databases has nothing to rehearse", "take it out")
    names = {host.name for host in world.targets(model)}
    there = {host.name for host in world.targets(scratch)} or names
    if there & names:
        yield from _beside(node, model, scratch)


def _beside(node: Node, model: ServiceModel, scratch: ServiceModel) -> Iterator[Problem]:
    """Yield what would be changed of a service on whose host its rehearsal is done."""
    own = {each.path for files in model.config.values() for each in files}
    paths = {each.path for files in scratch.config.values() for each in files}
    if not paths or paths & own:
        what = "on a host that serves, the rehearsal needs configuration files of its own"
        yield node.key_problem(what, "name other paths under its `config`, with the scratch databases in them")
    if not all(any(path in word for path in paths for word in argv) for argv in scratch.commands.values()):
        what = "a command of the rehearsal names none of its configuration files"
        yield node.key_problem(what, "give each tool under its `commands` the file to read")
    if not scratch.commands:
        yield node.key_problem("the rehearsal has no commands of its own", "say under `commands` how tools are called")
    if any(each.environment is None for each in scratch.builds.values()):
        what = "on a host that serves, packages cannot be rehearsed without replacing what runs"
        yield node.key_problem(what, "give the rehearsal a host of its own, or builds of the form environment")
