"""Checks of how a service is moved: by whom, by which procedure, and onto which second deployment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from reconciler.desired.checks_release import ServiceEntry
from reconciler.desired.models import ServiceModel
from reconciler.desired.node import Node, shown
from reconciler.desired.problem import Problem
from reconciler.desired.procedure_model import ProcedureModel
from reconciler.desired.tree import Entry
from reconciler.desired.world import World, replaced
from reconciler.domain.release import near_miss


def deployments(entry: ServiceEntry) -> Iterator[tuple[ServiceEntry, ServiceModel]]:
    """Yield a service, and its second deployment as if it were a service of its own, with places in the file."""
    model = entry.model
    if model is None:
        return
    yield entry, model
    if model.replacement is not None:
        node, second = entry.node, entry.node.at("replacement").entries()
        first = {key: each for key, each in node.entries().items() if key not in {"hosts", "roles", "bootstrap"}}
        merged = replace(node, content={**first, **second}, key=node.at("replacement").key)
        yield Entry(entry.name, merged, None), replaced(model)


def check_moved(entry: ServiceEntry) -> Iterator[Problem]:
    """Yield a service that nobody moves, whatever else is wrong with it."""
    keys = entry.node.entries()
    ours = "moved_by" not in keys or keys["moved_by"].content != "others"
    if keys and ours and "procedure" not in keys:
        yield entry.node.key_problem("procedure is missing", f"add it to {entry.name}")


def check_procedure(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    """Yield a procedure that is not there, or that works on what the service has not."""
    node, known = entry.node, world.tree.procedures
    if model.moved_by == "others":
        yield from _moved_by_others(node, model)
    elif model.procedure not in known and "procedure" in node.entries():
        hint = near_miss(model.procedure, known, "procedures")
        yield node.at("procedure").problem(f"unknown procedure {shown(model.procedure)}", hint)
    elif (procedure := known[model.procedure].model) is not None:
        yield from _suits(entry, model, procedure, world)


def _moved_by_others(node: Node, model: ServiceModel) -> Iterator[Problem]:
    for key in ("procedure", "replacement"):
        if getattr(model, key):
            yield node.at(key).key_problem(f"others move this service, so {key} says nothing", "remove one of the two")


def _suits(entry: ServiceEntry, model: ServiceModel, procedure: ProcedureModel, world: World) -> Iterator[Problem]:
    """Compare the selectors of a procedure with the service's hosts, deployments and group."""
    here = entry.node.at("procedure")
    names = {name for name, each in world.tree.services.items() if world.group(name) == world.group(entry.name)}
    selectors = [each.on for each in procedure.phases] + [each.on for each in procedure.watches]
    asked = [step.when for phase in procedure.phases for step in phase.steps if step.when.startswith("service ")]
    roles = {role for each in _together(names, model, world) for host in world.targets(each) for role in host.roles}
    for on in dict.fromkeys([*selectors, *asked]):
        word, _, subject = on.partition(" ")
        if word == "role" and world.hosts_known and subject not in roles:
            hint = near_miss(subject, roles, "roles of its hosts")
            yield here.problem(f"{model.procedure} works on role {subject}, which no host of the service has", hint)
        if word == "service" and subject not in names:
            hint = near_miss(subject, names, "services of the group")
            yield here.problem(f"{model.procedure} works on service {subject}, which is not in the group", hint)
        if word == "deployment" and model.replacement is None and "replacement" not in entry.node.entries():
            hint = "describe the second one under replacement"
            yield here.problem(f"{model.procedure} works on two deployments, and the service has one", hint)


def _together(names: Iterable[str], model: ServiceModel, world: World) -> Iterator[ServiceModel]:
    """Yield a service, and those of its group in the same procedure: a role may be of one of them alone."""
    yield model
    for name in names:
        other = world.tree.services[name].model
        if other is not None and other.procedure == model.procedure:
            yield other


def check_replacement(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    """Yield what a second deployment lacks before it can take the place of the first."""
    if model.replacement is None:
        return
    node = entry.node.at("replacement")
    first = {host.name for host in world.targets(model)}
    for host in world.targets(replaced(model)):
        if host.name in first:
            yield node.key_problem(f"host {host.name} is in both deployments", "a host is in one of them")
    for name in model.databases:
        if model.replacement.databases.get(name, model.databases[name]) == model.databases[name]:
            what = f"database {name} is the same in both deployments"
            yield node.at("databases", name).key_problem(what, "name the database into which it is loaded")
    if not model.smoke:
        hint = "name probes under smoke that ask the service's endpoint"
        yield entry.node.key_problem("nothing would prove that the second deployment is live", hint)
    procedure = world.tree.procedures.get(model.procedure)
    phases = {each.phase for each in procedure.model.phases} if procedure and procedure.model else {"cutover"}
    if "cutover" not in phases:
        what = f"procedure {model.procedure} has no phase cutover, so the second deployment would never be live"
        yield entry.node.at("procedure").problem(what, "take `replacement`, or give it one")
