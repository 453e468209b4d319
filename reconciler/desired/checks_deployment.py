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
from reconciler.desired.world import World, rehearsed, replaced
from reconciler.domain.desired import REHEARSAL
from reconciler.domain.release import near_miss


def deployments(entry: ServiceEntry) -> Iterator[tuple[ServiceEntry, ServiceModel]]:
    """Yield a service, and its further deployments as if each were a service of its own, with places in the file."""
    model = entry.model
    if model is None:
        return
    yield entry, model
    node, apart = entry.node, {"hosts", "roles", "bootstrap"}
    own = {key: each for key, each in node.entries().items() if key not in apart}
    for name in model.replacements:
        second = node.at("replacements", name)
        merged = replace(node, content={**own, **second.entries()}, key=second.key)
        yield Entry(entry.name, merged, None), replaced(model, name)
    if model.rehearsal is not None:
        second = node.at("rehearsal")
        own = own if model.rehearsal.hosts or model.rehearsal.roles else dict(node.entries())
        merged = replace(node, content={**own, **second.entries()}, key=second.key)
        yield Entry(entry.name, merged, None), _with_procedure(rehearsed(model))


def _with_procedure(model: ServiceModel) -> ServiceModel:
    """Return a rehearsal as it is carried out: by the procedure for that."""
    return model.model_copy(update={"procedure": REHEARSAL, "verify": (), "smoke": (), "overrides": {}})


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
    elif model.procedure == REHEARSAL and entry.model is None:
        return  # by the procedure for that, which suits every service with databases
    elif not model.procedure and "procedure" not in node.entries():
        return  # which `check_moved` says
    elif model.procedure not in known:
        hint = near_miss(model.procedure, known, "procedures")
        yield node.at("procedure").problem(f"unknown procedure {shown(model.procedure)}", hint)
    elif (procedure := known[model.procedure].model) is not None:
        if any(step.action == "to_savepoint" for phase in procedure.phases for step in phase.steps):
            what = f"{model.procedure} goes back to a savepoint, which the daemon does by itself when git asks for one"
            yield node.at("procedure").problem(what, "name the procedure by which the service goes forward")
        yield from _suits(entry, model, procedure, world)


def _moved_by_others(node: Node, model: ServiceModel) -> Iterator[Problem]:
    for key in ("procedure", "replacements"):
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
        if word == "deployment" and not model.replacements and "replacements" not in entry.node.entries():
            hint = "describe the second one under replacements"
            yield here.problem(f"{model.procedure} works on two deployments, and the service has one", hint)


def _together(names: Iterable[str], model: ServiceModel, world: World) -> Iterator[ServiceModel]:
    """Yield a service, and those of its group in the same procedure: a role may be of one of them alone."""
    yield model
    for name in names:
        other = world.tree.services[name].model
        if other is not None and other.procedure == model.procedure:
            yield other


def check_replacements(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    """Yield what a further deployment lacks before it can take the place of the one before."""
    if not model.replacements:
        return
    hosts = {host.name: "the first" for host in world.targets(model)}
    databases = {each.url: "the first" for each in model.databases.values()}
    for name, second in model.replacements.items():
        node = entry.node.at("replacements", name)
        for host in world.targets(replaced(model, name)):
            if (other := hosts.setdefault(host.name, name)) != name:
                what = f"host {host.name} is in this deployment and in {other}"
                yield node.key_problem(what, "a host is in one of them")
        for database, each in (second.databases or model.databases).items():
            if (other := databases.setdefault(each.url, name)) != name:
                what = f"database {database} is in this deployment and in {other}"
                yield node.at("databases", database).key_problem(what, "name the database into which it is loaded")
    yield from _proved_live(entry, model, world)


def _proved_live(entry: ServiceEntry, model: ServiceModel, world: World) -> Iterator[Problem]:
    if not model.smoke:
        hint = "name probes under smoke that ask the service's endpoint"
        yield entry.node.key_problem("nothing would prove that the second deployment is live", hint)
    procedure = world.tree.procedures.get(model.procedure)
    phases = {each.phase for each in procedure.model.phases} if procedure and procedure.model else {"cutover"}
    if "cutover" not in phases:
        what = f"procedure {model.procedure} has no phase cutover, so the second deployment would never be live"
        yield entry.node.at("procedure").problem(what, "take `replacement`, or give it one")
