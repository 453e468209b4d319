"""What the tests of this room share: a small catalog, two built-in procedures, and how a folder is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.desired import Problems, read_desired
from reconciler.domain.desired import Desired
from reconciler.errors import CatalogError

ACTIONS = frozenset({"ask", "prepare", "stop", "start", "backup", "schema", "switch", "configure", "verify", "command"})

PROCEDURES = b"""
fast-forward:
  text: All services stop, the schema walks hop by hop, the code goes once.
  leg: route
  phases:
    - {phase: prepare, on: fleet, steps: [prepare]}
    - {phase: quiesce, on: fleet, steps: [stop]}
    - {phase: backup, on: bootstrap, steps: [backup]}
    - {phase: migrate, each: hop, on: bootstrap, steps: [{action: schema, stage: sync}]}
    - {phase: roll, on: wave, steps: [configure, switch, start, verify]}
    - {phase: finish, on: daemon, steps: [verify]}
downtime:
  text: All services stop, one hop.
  leg: hop
  phases:
    - {phase: quiesce, on: fleet, steps: [stop]}
    - {phase: backup, on: bootstrap, steps: [backup]}
    - {phase: migrate, on: bootstrap, steps: [schema]}
    - {phase: roll, on: wave, steps: [switch, start]}
"""


@dataclass(frozen=True)
class Release:
    id: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Series:
    name: str
    releases: tuple[Release, ...]

    def find(self, name: str) -> Release:
        for release in self.releases:
            if name.casefold() in release.names:
                return release
        raise CatalogError(name, reason="unknown-release")


@dataclass(frozen=True)
class At:
    release: Release


@dataclass(frozen=True)
class Component:
    series: Series
    databases: Mapping[str, object]
    releases: tuple[At, ...]


@dataclass(frozen=True)
class Catalog:
    series: Mapping[str, Series]
    services: Mapping[str, Component] = field(default_factory=dict)


OPENSTACK = Series(
    "openstack",
    tuple(
        Release(names[0], names)
        for names in (
            ("xena",),
            ("yoga",),
            ("zed",),
            ("2023.1", "antelope"),
            ("2023.2", "bobcat"),
            ("2024.1", "caracal"),
            ("2024.2", "dalmatian"),
        )
    ),
)
KEYSTONE = Component(OPENSTACK, {"main": None}, tuple(At(each) for each in OPENSTACK.releases[1:]))


def load_catalog(extra: Sequence[Mapping[str, Any]]) -> Catalog:
    services = {"keystone": KEYSTONE}
    for document in extra:
        if "service" not in document:
            raise CatalogError("the document names no service", reason="catalog-invalid", hint="see the reference")
        services[document["service"]] = KEYSTONE
    return Catalog({"openstack": OPENSTACK}, services)


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "expected.txt"
    }


def read(files: Mapping[str, bytes]) -> Desired | Problems:
    return read_desired(files, load_catalog, procedures={"builtin.yaml": PROCEDURES}, actions=ACTIONS)
