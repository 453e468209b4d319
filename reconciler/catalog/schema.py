"""JSON Schemas of the catalog's files, for editors and for checks outside; `schemas/` holds what this makes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from reconciler.catalog.model import Model
from reconciler.catalog.models import RelationsModel, SeriesModel, ServiceModel

DRAFT = "https://json-schema.org/draft/2020-12/schema"

FORMS: Mapping[str, tuple[str, type[Model]]] = {
    "catalog-series": ("a series of the catalog", SeriesModel),
    "catalog-service": ("a service of the catalog", ServiceModel),
    "catalog-relations": ("relations between services of the catalog", RelationsModel),
}


def schema_files() -> dict[str, str]:
    """Return file name to text for every kind of file; equal models give equal bytes."""
    return {f"{name}.json": _text(name, title, form) for name, (title, form) in FORMS.items()}


def _text(name: str, title: str, form: type[Model]) -> str:
    body = form.model_json_schema(by_alias=True)
    schema = {"$schema": DRAFT, "$id": f"reconciler/{name}.json", **body, "title": title}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
