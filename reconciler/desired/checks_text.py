"""Checks of texts: configuration templates exist, placeholders can be filled, secrets are only referred to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from reconciler.desired.arguments import check_named_probes
from reconciler.desired.models import ServiceModel
from reconciler.desired.node import Node, scalars, shown
from reconciler.desired.placeholders import Scope, check_template, check_text
from reconciler.desired.probe_model import HttpModel, ProbeModel
from reconciler.desired.problem import Problem
from reconciler.desired.tree import Entry
from reconciler.desired.words import HIDDEN
from reconciler.desired.world import World
from reconciler.domain.action import ActionForm
from reconciler.domain.placeholder import LEG_WORDS, SECRET
from reconciler.domain.release import near_miss

PLACE = frozenset({"service", "host", "address"})
CODE = PLACE | {"release", "version"}
FULL = CODE | {"env"}
IN_JSON = re.compile(r'"[^"]*(?:password|passwd|secret|token)"\s*:\s*"(?!\{secret:)[^"]+"', re.IGNORECASE)
IN_INI = re.compile(
    r"^[ \t]*[\w.-]*(?:password|passwd|secret)[ \t]*[=:][ \t]*[\"']?[^\s{$\"']", re.IGNORECASE | re.MULTILINE
)
IN_URL = re.compile(r"://[^\s:/@{}]+:[^\s:/@{}]+@")
BY_REFERENCE = "name it under the service's secrets and write {secret:NAME}"


def check_probes(world: World) -> Iterator[Problem]:
    """Yield secrets that stand in probes as plain text."""
    for entry in world.tree.probes.values():
        http = entry.model.http if entry.model else None
        if http is None:
            continue
        for name, value in http.headers.items():
            if (HIDDEN.search(name) or name.casefold() == "authorization") and SECRET not in value:
                node = entry.node.at("http", "headers", name)
                yield node.problem(f"header {name} holds a secret in plain text", BY_REFERENCE)
        if IN_JSON.search(http.body):
            yield entry.node.at("http", "body").problem("the body holds a secret in plain text", BY_REFERENCE)


def check_placeholders(entry: Entry[ServiceModel], model: ServiceModel, world: World) -> Iterator[Problem]:
    """Yield every placeholder of a service that cannot be filled, and every text that is missing."""
    if not world.hosts_known:
        return
    node = entry.node
    scopes = _Scopes(entry.name, model, world)
    for name in model.databases:
        yield from _check(node.at("databases", name), ("url", "host_url"), scopes.of(PLACE))
    if model.backup is not None:
        yield from check_text(node.at("backup"), scopes.of(PLACE))
    for name in model.builds:
        yield from check_text(node.at("builds", name), scopes.of(CODE))
    yield from check_text(node.at("commands"), scopes.of(FULL)) if model.commands else ()
    yield from _config(node, model, world, scopes)
    for key in ("builds", "commands", "vars"):
        yield from _plain_logins(node.at(key)) if getattr(model, key) else ()
    for key in ("verify", "smoke"):
        yield from _asked(node.at(key), getattr(model, key), world, scopes)


def check_actions(entry: Entry[ServiceModel], model: ServiceModel, world: World) -> Iterator[Problem]:
    """Yield every placeholder in the actions of a service's procedure that cannot be filled for it."""
    procedure = world.tree.procedures.get(model.procedure)
    if procedure is None or procedure.model is None or not world.hosts_known:
        return
    scopes = _Scopes(entry.name, model, world)
    phases = procedure.node.at("phases")
    steps = [
        (phases.at(place, "steps", index), step.action)
        for place, phase in enumerate(procedure.model.phases)
        for index, step in enumerate(phase.steps)
        if not step.when.startswith("service ") or step.when == f"service {entry.name}"
    ]
    watches = procedure.node.at("watches")
    steps += [(watches.at(place), "watch") for place, _ in enumerate(procedure.model.watches)]
    for node, action in steps:
        form = world.actions.get(action)
        scope = scopes.of(FULL | LEG_WORDS, secrets=form is not None and form.secrets, shared=True)
        plain = scopes.of(FULL | LEG_WORDS, shared=True)
        for key, each in node.entries().items():
            titled = replace(scope, words=scope.words | {"title"}) if key == "title" else scope
            yield from check_text(each, plain if key == "cuts_link" else titled)
        if form is not None:
            yield from check_named_probes(node, form, world.tree.probes)
            yield from _named(node, form, world, scopes)


def _named(node: Node, form: ActionForm, world: World, scopes: _Scopes) -> Iterator[Problem]:
    """Yield what a service lacks for the probes that an action names: words, and databases."""
    for key in sorted(form.probes & set(node.entries())):
        entry = world.tree.probes.get(str(node.at(key).content))
        if entry is not None and entry.model is not None:
            yield from _fits(entry, entry.model, scopes, FULL | LEG_WORDS)


class _Scopes:
    """What the placeholders of one service may be."""

    def __init__(self, service: str, model: ServiceModel, world: World) -> None:
        hosts = world.targets(model)
        some = {name for host in hosts for name in host.vars} - set(model.vars)
        self.lacking = {
            name: next(host.name for host in hosts if name not in host.vars)
            for name in some
            if any(name not in host.vars for host in hosts)
        }
        self.vars = frozenset({*model.vars, *some} - set(self.lacking))
        self.secrets = frozenset(model.secrets)
        self.service = service
        self.databases = tuple(model.databases)

    def of(self, words: frozenset[str], *, secrets: bool = False, strict: bool = True, shared: bool = False) -> Scope:
        return Scope(
            words=words | self.vars,
            secrets=self.secrets if secrets else None,
            reader=f"service {self.service}" if shared else "",
            strict=strict,
            lacking=self.lacking,
        )


def _check(node: Node, keys: tuple[str, ...], scope: Scope) -> Iterator[Problem]:
    for key in keys:
        if (below := node.below(key)) is not None:
            yield from check_text(below, scope)


def _config(node: Node, model: ServiceModel, world: World, scopes: _Scopes) -> Iterator[Problem]:
    texts = world.tree.texts
    for release, files in model.config.items():
        paths: set[str] = set()
        for place, file in enumerate(files):
            here = node.at("config", release, place)
            yield from check_text(here.at("path"), scopes.of(FULL))
            if file.path in paths:
                yield here.at("path").problem(f"{file.path} is listed twice", "remove one of the two")
            paths.add(file.path)
            if file.source not in texts:
                hint = near_miss(file.source, texts, "templates")
                yield here.at("source").problem(f"there is no file {shown(file.source)}", hint)
                continue
            text = texts[file.source]
            yield from check_template(file.source, text, scopes.of(FULL, secrets=True, strict=False, shared=True))
            yield from _plain_secrets(file.source, text)


def _plain_secrets(file: str, text: str) -> Iterator[Problem]:
    for pattern in (IN_INI, IN_URL):
        for found in pattern.finditer(text):
            line = text[: found.start()].count("\n") + 1
            yield Problem(file, line, 1, "this line holds a secret in plain text", BY_REFERENCE)


def _plain_logins(node: Node) -> Iterator[Problem]:
    for each in scalars(node):
        if isinstance(each.content, str) and IN_URL.search(each.content):
            yield each.problem("this URL holds a password in plain text", "keep it in a file on the host")


def _asked(node: Node, names: tuple[str, ...], world: World, scopes: _Scopes) -> Iterator[Problem]:
    for place, name in enumerate(names):
        if name not in world.tree.probes:
            hint = near_miss(name, world.tree.probes, "probes")
            yield node.at(place).problem(f"unknown probe {shown(name)}", hint)
            continue
        entry = world.tree.probes[name]
        if entry.model is not None:
            yield from _fits(entry, entry.model, scopes, PLACE)


def _fits(entry: Entry[ProbeModel], model: ProbeModel, scopes: _Scopes, words: frozenset[str]) -> Iterator[Problem]:
    """Yield what a service lacks for a probe."""
    if model.http is not None:
        yield from _probe(entry.node.at("http"), model.http, scopes, words)
        return
    yield from check_text(entry.node, scopes.of(words, shared=True))
    if model.sql is not None and "." not in model.sql.database and model.sql.database not in scopes.databases:
        what = f"service {scopes.service} has no database {shown(model.sql.database)}"
        yield entry.node.at("sql", "database").problem(
            what, near_miss(model.sql.database, scopes.databases, "databases")
        )


def _probe(node: Node, http: HttpModel, scopes: _Scopes, words: frozenset[str]) -> Iterator[Problem]:
    yield from check_text(node.at("url"), scopes.of(words, shared=True))
    hidden = scopes.of(words, secrets=True, shared=True)
    yield from check_text(node.at("headers"), hidden) if http.headers else ()
    yield from check_text(node.at("body"), hidden) if http.body else ()
