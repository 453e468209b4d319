"""What the tests of this room share: a small catalog, two built-in procedures, and how a folder is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

from reconciler.catalog import build_catalog
from reconciler.desired import Problems, read_desired
from reconciler.domain.action import ActionForm
from reconciler.domain.catalog import Catalog
from reconciler.domain.desired import Desired
from reconciler.domain.probe import HttpProbe

CASES = Path(__file__).parent.parent / "cases" / "desired"
WORDS = ("prepare_build", "install_build", "stop", "start", "backup", "schema", "configure", "verify")


class Nothing(BaseModel, extra="forbid"):
    pass


class Schema(BaseModel, extra="forbid"):
    mode: Literal["sync", "expand"] = "sync"


class Sql(BaseModel, extra="forbid"):
    """An action with arguments of every shape, of which the planner gives `engine`."""

    database: str = Field(pattern="^[a-z.]+$")
    engine: Literal["mariadb"]
    rows: int = 1
    only_if: tuple[str, ...] = ()


class Box(BaseModel, extra="forbid"):
    """An action whose own arguments have the names that procedures use for other things."""

    action: Literal["pull", "run"]
    name: str = Field(default="", pattern="^[a-z_]*$")


class Question(BaseModel, extra="forbid"):
    probe: HttpProbe | None = None


class Watch(BaseModel, extra="forbid"):
    name: str
    action: Literal["start", "check"]
    ping: str


ACTIONS = {word: ActionForm(model=Nothing, where="daemon") for word in WORDS} | {
    "schema": ActionForm(model=Schema),
    "sql": ActionForm(model=Sql, given={"engine": "mariadb"}),
    "box": ActionForm(model=Box),
    "ask": ActionForm(model=Question, where="person", probes=frozenset({"probe"})),
    "watch": ActionForm(model=Watch),
}
BUILT_IN = {
    "fast-forward.yaml": b"""
fast-forward:
  text: All services stop, the schema walks hop by hop, the code goes once.
  leg: route
  phases:
    - {phase: prepare, on: fleet, steps: [prepare_build]}
    - {phase: quiesce, on: fleet, steps: [stop]}
    - {phase: backup, on: bootstrap, steps: [backup]}
    - {phase: migrate, each: hop, on: bootstrap, steps: [{action: schema, mode: sync}]}
    - {phase: roll, on: wave, steps: [configure, install_build, start, verify]}
""",
    "downtime.yaml": b"""
downtime:
  text: All services stop, one hop.
  leg: hop
  phases:
    - {phase: quiesce, on: fleet, steps: [stop]}
    - {phase: backup, on: bootstrap, steps: [backup]}
    - {phase: migrate, on: bootstrap, steps: [schema]}
    - {phase: roll, on: wave, steps: [install_build, start]}
""",
}
RELEASES = {"xena": "xena", "yoga": "yoga", "zed": "zed", "2023.1": "antelope", "2023.2": "bobcat", "2024.1": "caracal"}
DOCUMENTS: tuple[Mapping[str, Any], ...] = (
    {"series": "openstack", "releases": [{"id": id_, "codename": name} for id_, name in RELEASES.items()]},
    {
        "service": "keystone",
        "series": "openstack",
        "databases": {
            "main": {"alembic": {"base": "27e647c0fad4", "branches": [{"name": "expand", "stage": "expand"}]}}
        },
        "eras": [{"zero_downtime": True, "sync": ["keystone-manage", "db_sync"]}],
        "releases": [
            {"id": id_, "package": {"first": "1", "final": "2"}, "databases": {}} for id_ in RELEASES if id_ != "xena"
        ],
    },
)


def load_catalog(extra: Sequence[Mapping[str, Any]]) -> Catalog:
    return build_catalog([*DOCUMENTS, *extra])


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "expected.txt"
    }


def read(files: Mapping[str, bytes]) -> Desired | Problems:
    return read_desired(files, load_catalog, procedures=BUILT_IN, actions=ACTIONS)
