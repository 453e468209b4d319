from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import jsonschema
import pytest
import yaml

from reconciler.desired import schema_files
from reconciler.desired.models import ServiceModel
from reconciler.desired.reference import with_tables
from reconciler.desired.schema import known_keys

HOME = Path(__file__).parent.parent.parent


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads(schema_files()[f"{name}.json"])
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_committed_schemas_are_those_of_the_models() -> None:
    assert {name: (HOME / "schemas" / name).read_text() for name in schema_files()} == schema_files()


def test_reference_page_is_that_of_the_models() -> None:
    page = (HOME / "docs" / "reference" / "desired-state.md").read_text()
    assert with_tables(page) == page


def examples() -> list[Path]:
    folders = (HOME / "desired-state", HOME / "tests" / "cases" / "desired" / "accepted")
    found = (path for folder in folders for path in folder.rglob("*.yaml"))
    return sorted(path for path in found if path.parent.name not in {"catalog", ".github", "files"})


@pytest.mark.parametrize("path", examples(), ids=lambda path: "/".join(path.parts[-3:]))
def test_schemas_accept_what_the_reader_accepts(path: Path) -> None:
    """Editors resolve scalars by the core schema of YAML 1.2, so unquoted numbers arrive as numbers."""
    kind = path.parent.name if path.name != "fleet.yaml" else "fleet"
    validator(kind).validate(json.loads(json.dumps(Core(path.read_text()).get_single_data()), parse_float=float))


class Core(yaml.SafeLoader):
    """Numbers and flags as editors see them, days and yes/no as text."""


Core.yaml_implicit_resolvers = {}
Core.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))
Core.add_implicit_resolver("tag:yaml.org,2002:int", re.compile("^[0-9]+$"), list("0123456789"))
Core.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^[0-9]+\.[0-9]+$"), list("0123456789"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fleet", {"fleet": {"name": "demo"}, "service": {}}),
        ("fleet", {}),
        ("hosts", {"-x": {}}),
        ("hosts", {"ks1": {"port": 0}}),
        ("services", {"keystone": {"series": "openstack"}}),
        ("probes", {"up": {"http": {"url": "ftp://x"}}}),
        ("procedures", {"mine": {"text": "x", "leg": "route", "phases": []}}),
    ],
)
def test_schemas_refuse(name: str, value: object) -> None:
    assert not validator(name).is_valid(value)


def test_known_keys_follow_the_path() -> None:
    assert known_keys(ServiceModel, ("builds", "yoga", "environment")) == (
        "path", "link", "python", "requirements", "pip_args",
    )  # fmt: skip
    assert "source" in known_keys(ServiceModel, ("config", "*", 0))
    assert known_keys(ServiceModel, ("vars",)) == ()
