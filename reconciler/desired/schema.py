"""JSON Schemas of the files, for editors and for checks outside; `schemas/` holds what this makes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter

from reconciler.desired import words as w
from reconciler.desired.models import FleetFile, HostModel, ServiceModel
from reconciler.desired.probe_model import ProbeModel
from reconciler.desired.procedure_model import ProcedureModel

DRAFT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

FORMS: Mapping[str, tuple[str, type]] = {
    "fleet": ("fleet.yaml of a desired state", FleetFile),
    "hosts": ("hosts/*.yaml: hosts by name", dict[w.HostPattern, HostModel]),
    "services": ("services/*.yaml: services by name", dict[w.Name, ServiceModel]),
    "probes": ("probes/*.yaml: probes by name", dict[w.Name, ProbeModel]),
    "procedures": ("procedures/*.yaml: procedures by name", dict[w.Name, ProcedureModel]),
}


def schema_files() -> dict[str, str]:
    """Return file name to text for every kind of file; equal models give equal bytes."""
    return {f"{name}.json": _text(name, title, form) for name, (title, form) in FORMS.items()}


@cache
def schema_of(model: type[BaseModel]) -> Schema:
    """Return the schema of one model, as editors get it."""
    return _mapping(_tidy(model.model_json_schema()))


def known_keys(model: type[BaseModel], path: tuple[str | int, ...]) -> tuple[str, ...]:
    """List the keys that a mapping at `path` below a model may have; nothing where any key may stand."""
    root = schema_of(model)
    here = root
    for step in path:
        here = _below(_resolved(here, root), step)
    return tuple(_resolved(here, root).get("properties", {}))


def _below(schema: Schema, step: str | int) -> Schema:
    if isinstance(step, int):
        return _mapping(schema.get("items"))
    named = _mapping(schema.get("properties")).get(step)
    patterns = list(_mapping(schema.get("patternProperties")).values())
    return _mapping(named or (patterns[0] if patterns else schema.get("additionalProperties")))


def _resolved(schema: Schema, root: Schema) -> Schema:
    """Follow a reference; of several forms take the one that is a mapping."""
    name = schema.get("$ref", "").rpartition("/")[2]
    if name:
        return _resolved(_mapping(root.get("$defs", {}).get(name)), root)
    forms = [_resolved(_mapping(form), root) for form in schema.get("anyOf", ())]
    return next((form for form in forms if "properties" in form), schema)


def _mapping(value: object) -> Schema:
    return value if isinstance(value, dict) else {}


def _text(name: str, title: str, form: type) -> str:
    body = _mapping(_tidy(TypeAdapter(form).json_schema()))
    schema = {"$schema": DRAFT, "$id": f"reconciler/{name}.json", **body, "title": title}
    return json.dumps(schema, indent=2, sort_keys=False, ensure_ascii=False) + "\n"


def _tidy(value: object) -> object:
    """Drop nulls, which the reader refuses, and titles, which say nothing; close mappings with patterned keys."""
    if isinstance(value, list):
        return [_tidy(each) for each in value]
    if not isinstance(value, dict):
        return value
    tidy: Schema = {key: _tidy(each) for key, each in value.items() if not _noise(key, each)}
    options = tidy.get("anyOf", [])
    if {"type": "null"} in options:
        rest = [each for each in options if each != {"type": "null"}]
        others = {key: each for key, each in tidy.items() if key != "anyOf"}
        tidy = {**(rest[0] if len(rest) == 1 else {"anyOf": rest}), **others}
    if "patternProperties" in tidy:
        tidy["additionalProperties"] = False
    return tidy


def _noise(key: str, value: object) -> bool:
    return (key == "title" and isinstance(value, str)) or (key == "default" and value is None)
