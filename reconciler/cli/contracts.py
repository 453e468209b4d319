"""The JSON contracts of the command line as types; `schemas/` is generated from them.

A key that is not named here is not printed: the schemas are closed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from reconciler.cli.contracts_backups import Backups
from reconciler.cli.contracts_catalog import CatalogOf, Lint
from reconciler.cli.contracts_daemon import Diff, Events, History, Status, Why
from reconciler.cli.contracts_plan import Merge, Plan, Rollback, Route
from reconciler.cli.contracts_schema import Identify, SchemaDiff
from reconciler.planning.observed_json import ObservedFile

DRAFT = "https://json-schema.org/draft/2020-12/schema"


CONTRACTS: Mapping[str, tuple[str, Any]] = {
    "route": ("reconciler route -o json", Route),
    "identify": ("reconciler identify -o json", Identify),
    "schema-diff": ("reconciler schema diff -o json", SchemaDiff),
    "plan": ("reconciler plan -o json", Plan),
    "status": ("reconciler status -o json", Status),
    "observe": ("reconciler observe -o json", ObservedFile),
    "diff": ("reconciler diff -o json", Diff),
    "merge": ("reconciler diff FROM TO -o json", Merge),
    "rollback": ("reconciler rollback -o json", Rollback),
    "why": ("reconciler why -o json", Why),
    "catalog": ("reconciler catalog show -o json", CatalogOf),
    "lint": ("reconciler catalog lint -o json", Lint),
    "events": ("reconciler events -o json", Events),
    "backups": ("reconciler backups -o json", Backups),
    "history": ("reconciler history -o json", History),
}


def contract_files() -> dict[str, str]:
    """Return file name to text of every contract's schema; equal types give equal bytes."""
    return {f"{name}.json": _text(name, title, form) for name, (title, form) in CONTRACTS.items()}


def _text(name: str, title: str, form: Any) -> str:  # noqa: ANN401 - a type
    body = _closed(TypeAdapter(form).json_schema())
    schema = {"$schema": DRAFT, "$id": f"reconciler/{name}.json", **body, "title": title}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _closed(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Allow no other keys, and drop titles, which say nothing."""
    if isinstance(value, list):
        return [_closed(each) for each in value]
    if not isinstance(value, dict):
        return value
    closed = {key: _closed(each) for key, each in value.items() if not (key == "title" and isinstance(each, str))}
    if "properties" in closed:
        closed["additionalProperties"] = False
    return closed
