"""Gathers the files of a desired state into one tree of named entries, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic import BaseModel

from reconciler.desired import words as w
from reconciler.desired.models import (
    FleetFile,
    FleetModel,
    GroupModel,
    HostModel,
    ServiceModel,
)
from reconciler.desired.node import Node, shown
from reconciler.desired.policy_model import AcceptModel, ApproveModel, QuarantineModel
from reconciler.desired.probe_model import ProbeModel
from reconciler.desired.problem import Problem
from reconciler.desired.procedure_model import ProcedureModel
from reconciler.desired.validate import validated
from reconciler.desired.yaml import decode, read_yaml
from reconciler.domain.release import near_miss

AnyModel = TypeVar("AnyModel", bound=BaseModel)
ROOT = "fleet.yaml"
SECTIONS = ("hosts", "groups", "services", "probes", "procedures")
FOLDERS = ("hosts", "services", "probes", "procedures", "catalog")
MAX_FILES = 5000
MAX_YAML = 8 << 20
"""Bytes of all YAML together; small values take sixty times as much once they are read."""

MAX_PROBLEMS = 10_000


@dataclass(frozen=True, slots=True)
class Entry(Generic[AnyModel]):
    """A named thing of the files; `model` is None where it is invalid, which was already said."""

    name: str
    node: Node
    model: AnyModel | None


Entries = Mapping[str, Entry[AnyModel]]


@dataclass(slots=True)
class Tree:
    """All that the files say. `whole` is False when a file could not be parsed, so that things may be missing."""

    fleet: FleetModel | None = None
    fleet_node: Node | None = None
    hosts: dict[str, Entry[HostModel]] = field(default_factory=dict)
    groups: dict[str, Entry[GroupModel]] = field(default_factory=dict)
    services: dict[str, Entry[ServiceModel]] = field(default_factory=dict)
    probes: dict[str, Entry[ProbeModel]] = field(default_factory=dict)
    procedures: dict[str, Entry[ProcedureModel]] = field(default_factory=dict)
    accepts: list[Entry[AcceptModel]] = field(default_factory=list)
    quarantined: list[Entry[QuarantineModel]] = field(default_factory=list)
    approved: list[Entry[ApproveModel]] = field(default_factory=list)
    catalog: list[Node] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    whole: bool = True
    problems: list[Problem] = field(default_factory=list)


def read_tree(files: Mapping[str, bytes], builtin: Mapping[str, bytes]) -> Tree:
    """Read every file; `builtin` holds procedures that a site may not redefine."""
    tree = read_procedures(builtin)
    if problem := _too_much(files):
        tree.problems.append(problem)
        tree.whole = False
        return tree
    if ROOT not in files:
        tree.problems.append(Problem(ROOT, 1, 1, "the file is missing", "a desired state has fleet.yaml at its root"))
        tree.whole = False
    for name in sorted(files, key=lambda name: (name != ROOT, name)):
        if len(tree.problems) >= MAX_PROBLEMS:
            tree.problems.append(
                Problem(name, 1, 1, "this file and those after it were not read", "correct the others")
            )
            tree.whole = False
            break
        _file(tree, name, files[name])
    return tree


def _too_much(files: Mapping[str, bytes]) -> Problem | None:
    size = sum(len(data) for name, data in files.items() if name.endswith(".yaml"))
    if size > MAX_YAML:
        return Problem(ROOT, 1, 1, f"the YAML files have {size} bytes together, more than {MAX_YAML}")
    if len(files) > MAX_FILES:
        return Problem(ROOT, 1, 1, f"there are {len(files)} files, more than {MAX_FILES}")
    return None


def read_procedures(files: Mapping[str, bytes]) -> Tree:
    """Read procedure files alone."""
    tree = Tree()
    for name in sorted(files):
        _section(tree, "procedures", _parsed(tree, name, files[name]))
    return tree


def _file(tree: Tree, name: str, data: bytes) -> None:
    folder, _, rest = name.partition("/")
    if name == ROOT:
        _fleet(tree, _parsed(tree, name, data))
    elif folder == "files":
        _template(tree, name, data)
    elif re.search(r"(^|/)\.", name) or not name.endswith((".yaml", ".yml")):
        return
    elif "/" in rest or not rest or folder not in FOLDERS:
        tree.problems.append(_unread(name, folder))
    elif name.endswith(".yml"):
        tree.problems.append(Problem(name, 1, 1, "nothing reads this file", "rename it to .yaml"))
    elif folder == "catalog":
        node = _parsed(tree, name, data)
        tree.catalog.extend([node] if node else [])
    else:
        _section(tree, folder, _parsed(tree, name, data))


def _unread(name: str, folder: str) -> Problem:
    folders = [f"{each}/" for each in FOLDERS]
    meant = near_miss(f"{folder}/", folders)
    if "/" not in name or folder in FOLDERS or not meant.startswith("did"):
        meant = f"YAML is read from {ROOT} and right below {', '.join(folders)}"
    return Problem(name, 1, 1, "nothing reads this file", meant)


def _parsed(tree: Tree, name: str, data: bytes) -> Node | None:
    node, problems = read_yaml(name, data)
    tree.problems.extend(problems)
    tree.whole &= node is not None
    if node is not None and not isinstance(node.content, Mapping):
        tree.problems.append(node.problem("the file must hold a mapping", "start it with 'key: value' lines"))
        return None
    return node


def _template(tree: Tree, name: str, data: bytes) -> None:
    text = decode(name, data)
    if isinstance(text, Problem):
        tree.problems.append(text)
        text = ""
    tree.texts[name] = text


def _fleet(tree: Tree, node: Node | None) -> None:
    if node is None:
        return
    known = tuple(FleetFile.model_fields)
    for name, below in node.entries().items():
        if name not in known:
            tree.problems.append(below.key_problem(f"unknown key {shown(name)}", near_miss(name, known, "keys")))
        elif name in SECTIONS:
            _section(tree, name, below)
    fleet = node.below("fleet")
    if fleet is None:
        tree.problems.append(node.problem("fleet is missing", "add 'fleet: {name: ...}'"))
    else:
        tree.fleet_node = fleet
        tree.fleet = _valid(tree, FleetModel, fleet, "fleet")
    _listed(tree, node.below("accept"), "accept", AcceptModel, tree.accepts)
    _listed(tree, node.below("quarantine"), "quarantine", QuarantineModel, tree.quarantined)
    _listed(tree, node.below("approve"), "approve", ApproveModel, tree.approved)


def _listed(tree: Tree, node: Node | None, name: str, model: type[AnyModel], entries: list[Entry[AnyModel]]) -> None:
    if node is None or node.refused:
        return
    if not isinstance(node.content, tuple):
        tree.problems.append(node.problem(f"{name} must be a list"))
        return
    for place, each in enumerate(node.content, start=1):
        entries.append(Entry(name, each, _valid(tree, model, each, f"{name}[{place}]")))


def _section(tree: Tree, section: str, node: Node | None) -> None:
    if node is None or node.refused:
        return
    if not isinstance(node.content, Mapping):
        tree.problems.append(node.problem(f"{section} must be a mapping of names"))
        return
    for name, below in node.content.items():
        match section:
            case "hosts":
                _enter(tree, tree.hosts, HostModel, name, below)
            case "groups":
                _enter(tree, tree.groups, GroupModel, name, below)
            case "services":
                _enter(tree, tree.services, ServiceModel, name, below)
            case "probes":
                _enter(tree, tree.probes, ProbeModel, name, below)
            case _:
                _enter(tree, tree.procedures, ProcedureModel, name, below)


def _enter(tree: Tree, entries: dict[str, Entry[AnyModel]], model: type[AnyModel], name: str, node: Node) -> None:
    if not re.fullmatch(w.HOST_PATTERN if model is HostModel else w.NAME, name):
        tree.problems.append(node.key_problem(f"{shown(name)} is no name", w.NAME_HINT))
    elif name in entries:
        first = entries[name].node
        line, _ = first.key or (first.line, first.col)
        what = f"{shown(name)} is defined a second time, first at {first.file}:{line}"
        tree.problems.append(node.key_problem(what, "remove one of the two, or rename it"))
    else:
        entries[name] = Entry(name, node, _valid(tree, model, node, name))


def _valid(tree: Tree, model: type[AnyModel], node: Node, title: str) -> AnyModel | None:
    if node.refused:
        return None
    found, problems = validated(model, node, title)
    tree.problems.extend(problems)
    return found


def case_twins(entries: Iterable[tuple[str, Node]]) -> list[Problem]:
    """Complain about names that differ in upper and lower case only."""
    seen: dict[str, str] = {}
    problems = []
    for name, node in entries:
        twin = seen.setdefault(name.casefold(), name)
        if twin != name:
            what = f"{shown(name)} differs from {shown(twin)} in upper and lower case only"
            problems.append(node.key_problem(what, "rename one of the two"))
    return problems
