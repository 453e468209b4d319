"""Hosts: ranges written out, defaults merged, addresses unique."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from reconciler.desired.models import DefaultsModel, HostModel
from reconciler.desired.node import Node, shown
from reconciler.desired.placeholders import Scope, check_text
from reconciler.desired.problem import Problem
from reconciler.desired.ranges import MAX_HOSTS, expand
from reconciler.desired.tree import Entry, Tree, case_twins
from reconciler.domain.desired import Host, Login
from reconciler.domain.placeholder import fill


@dataclass(frozen=True, slots=True)
class Placed:
    """A host and where it is written; `host` is None where that is invalid."""

    name: str
    node: Node
    host: Host | None


def place_hosts(tree: Tree) -> tuple[dict[str, Placed], list[Problem]]:
    """Write out every host of the files, in their order."""
    placed: dict[str, Placed] = {}
    problems: list[Problem] = []
    for entry in tree.hosts.values():
        if len(placed) >= MAX_HOSTS:
            problems.append(entry.node.key_problem(f"there are more than {MAX_HOSTS} hosts"))
            break
        for each in _expanded(entry, tree, problems):
            first = placed.setdefault(each.name, each)
            if first is not each:
                what = f"host {shown(each.name)} is defined a second time, first at {first.node.file}:{first.node.line}"
                problems.append(each.node.key_problem(what, "remove one of the two, or change the range"))
    problems.extend(case_twins((each.name, each.node) for each in placed.values()))
    problems.extend(_same_address(placed.values()))
    return placed, problems


def _expanded(entry: Entry[HostModel], tree: Tree, problems: list[Problem]) -> Iterator[Placed]:
    try:
        names = expand(entry.name)
    except ValueError as error:
        problems.append(entry.node.key_problem(f"the host name {error}"))
        return
    model = entry.model
    defaults = tree.fleet.defaults if tree.fleet else DefaultsModel()
    addresses: tuple[str, ...] = ()
    if model is not None:
        found = _addresses(entry.node, model, names)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            addresses = found
        problems.extend(_check(entry, model, tree))
    for index, name in enumerate(names):
        host = _host(name, addresses[index], model, defaults) if model is not None and addresses else None
        yield Placed(name, entry.node, host)


def _addresses(node: Node, model: HostModel, names: tuple[str, ...]) -> tuple[str, ...] | Problem:
    if not model.address:
        return names
    place = node.at("address")
    try:
        found = expand(model.address)
    except ValueError as error:
        return place.problem(f"address {error}")
    if len(found) != len(names):
        what = f"{len(names)} hosts but {len(found)} addresses"
        return place.problem(what, "give the address a range of the same length as the name's")
    wrong = next((each for each in found if _looks_numeric(each) and not _is_ip(each)), None)
    return place.problem(f"{wrong} is no valid IP address") if wrong else found


def _looks_numeric(address: str) -> bool:
    return ":" in address or address.replace(".", "").isdigit()


def _is_ip(address: str) -> bool:
    try:
        ip_address(address)
    except ValueError:
        return False
    return True


def _merged(model: HostModel, defaults: DefaultsModel) -> HostModel:
    given = model.model_dump(exclude_unset=True)
    merged = {**defaults.model_dump(), **given}
    merged["login"] = {**defaults.login.model_dump(), **given.get("login", {})}
    merged["vars"] = {**defaults.vars, **model.vars}
    return HostModel.model_construct(**merged)


def _check(entry: Entry[HostModel], model: HostModel, tree: Tree) -> Iterator[Problem]:
    if tree.fleet is None or tree.fleet_node is None:
        return
    node, merged = entry.node, _merged(model, tree.fleet.defaults)
    if merged.manager == "supervisord" and not merged.manager_config:
        yield node.key_problem("manager supervisord needs manager_config", "name supervisord's configuration file")
    scope = Scope(frozenset({"host", "address", *merged.vars}), reader=f"host {entry.name}")
    for key in ("state_dir", "manager_config"):
        below = node.below(key) or tree.fleet_node.at("defaults").below(key)
        yield from check_text(below, scope) if below else ()


def _host(name: str, address: str, model: HostModel, defaults: DefaultsModel) -> Host:
    merged = _merged(model, defaults)
    values = {**merged.vars, "host": name, "address": address}
    login: Mapping[str, str] = merged.model_dump(include={"login"}, warnings=False)["login"]
    return Host(
        name=name,
        address=address,
        port=merged.port,
        zone=merged.zone,
        roles=frozenset(model.roles),
        labels=dict(model.labels),
        login=Login(**login),
        state_dir=fill(merged.state_dir, values),
        manager=merged.manager,
        manager_config=fill(merged.manager_config, values),
        vars=dict(merged.vars),
    )


def _same_address(placed: Iterable[Placed]) -> Iterator[Problem]:
    seen: dict[tuple[str, int], str] = {}
    for each in placed:
        if each.host is None:
            continue
        first = seen.setdefault((each.host.address.casefold(), each.host.port), each.name)
        if first != each.name:
            what = f"host {each.name} has address {each.host.address} at port {each.host.port}, as {first} has"
            yield each.node.at("address").problem(what, "every host has an address or port of its own")
