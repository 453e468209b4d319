"""Editors are told the truth: each packaged file fits the schema that its first line names."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

import reconciler.catalog

HOME = Path(reconciler.catalog.__file__).parent
FILES = sorted(path for path in HOME.glob("*/*.yaml") if path.parent.name != "procedures")
MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")


def schema_of(file: Path) -> Draft202012Validator:
    line = MODELINE.match(file.read_text("utf-8"))
    assert line, "the first line names the schema"
    return Draft202012Validator(json.loads((file.parent / line[1]).read_text("utf-8")))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_file_fits_its_schema(file: Path) -> None:
    assert list(schema_of(file).iter_errors(yaml.safe_load(file.read_text("utf-8")))) == []


@pytest.mark.parametrize("change", [{"rulez": []}, {"series": 7}, {"eras": [{"zero_downtime": False, "sync": [1]}]}])
def test_a_misspelt_file_does_not(change: dict[str, object]) -> None:
    file = HOME / "openstack" / "keystone.yaml"
    assert list(schema_of(file).iter_errors(yaml.safe_load(file.read_text("utf-8")) | change))
