"""The tables of docs/reference/desired-state.md, made from the models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pydantic import BaseModel

from reconciler.desired import build_model as b
from reconciler.desired import models as m
from reconciler.desired import policy_model as p
from reconciler.desired import probe_model as q
from reconciler.desired.procedure_model import ActionModel, PhaseModel, ProcedureModel, WatchModel
from reconciler.desired.schema import Schema, schema_of
from reconciler.desired.window_model import WindowModel

BEGIN, END = "<!-- tables: made from the models -->", "<!-- end of tables -->"
CHAPTERS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("fleet.yaml", m.FleetFile),
    ("fleet", m.FleetModel),
    ("fleet.defaults", m.DefaultsModel),
    ("fleet.windows.NAME", WindowModel),
    ("fleet.prometheus", m.PrometheusModel),
    ("login", m.LoginModel),
    ("hosts.NAME", m.HostModel),
    ("fleet.alerts.NAME", p.AlertModel),
    ("fleet.approvals, groups.NAME.approvals", p.ApprovalsModel),
    ("fleet.halts, groups.NAME.halts", p.HaltsModel),
    ("fleet.backups, services.NAME.backups", p.BackupsModel),
    ("groups.NAME", m.GroupModel),
    ("services.NAME", m.ServiceModel),
    ("services.NAME.databases.NAME", m.DatabaseModel),
    ("services.NAME.builds.RELEASE", b.BuildModel),
    ("services.NAME.builds.RELEASE.environment", b.EnvironmentModel),
    ("services.NAME.builds.RELEASE.containers.NAME", b.ContainerModel),
    ("services.NAME.config.RELEASE, each", b.ConfigFileModel),
    ("services.NAME.backup", m.BackupModel),
    ("services.NAME.canary", m.CanaryModel),
    ("services.NAME.overrides.HOST", m.OverrideModel),
    ("services.NAME.replacements.RELEASE", m.ReplacementModel),
    ("services.NAME.rehearsal", m.RehearsalModel),
    ("A secret: services.NAME.secrets.NAME, databases.NAME.password", m.SecretModel),
    ("probes.NAME", q.ProbeModel),
    ("probes.NAME.http", q.HttpModel),
    ("probes.NAME.tcp", q.TcpModel),
    ("probes.NAME.promql", q.PromqlModel),
    ("probes.NAME.sql", q.SqlModel),
    ("probes.NAME.command", q.CommandModel),
    ("probes.NAME.unit", q.UnitModel),
    ("probes.NAME.container", q.RunningModel),
    ("procedures.NAME", ProcedureModel),
    ("procedures.NAME.phases, each", PhaseModel),
    ("procedures.NAME.phases.steps, each", ActionModel),
    ("procedures.NAME.watches, each", WatchModel),
    ("accept, each", p.AcceptModel),
    ("quarantine, each", p.QuarantineModel),
    ("approve, each", p.ApproveModel),
)


def with_tables(page: str) -> str:
    """Replace what stands between the marks of a page by the tables."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{''.join(_chapters())}{END}{rest.split(END)[1]}"


def _chapters() -> Iterator[str]:
    for title, model in CHAPTERS:
        yield f"### {title}\n\n{(model.__doc__ or '').strip()}\n\n"
        yield "| key | value | default | meaning |\n| --- | --- | --- | --- |\n"
        schema = schema_of(model)
        for name, field in schema["properties"].items():
            default = _default(field, required=name in schema.get("required", []))
            meaning = field.get("description", "").replace("|", "&#124;")
            yield f"| `{name}` | {_value(field)} | {default} | {meaning} |\n"
        yield "\n"


def _default(field: Schema, *, required: bool) -> str:
    if required:
        return "needed"
    default = field.get("default")
    if default in (None, "", [], {}) or isinstance(default, dict):
        return ""
    return f"`{json.dumps(default)}`".replace('"', "")


def _value(field: Schema) -> str:
    if "enum" in field:
        return ", ".join(f"`{each}`" for each in field["enum"] if not isinstance(each, bool))
    if "$ref" in field:
        return "mapping"
    kind = field.get("type")
    if kind == "array":
        return f"list of {_value(field['items'])}s"
    if kind == "object":
        return "mapping by name"
    return _scalar(kind, field)


def _scalar(kind: object, field: Schema) -> str:
    kinds = kind if isinstance(kind, list) else [kind]
    if field.get("format") == "date":
        return "day"
    number = next((each for each in kinds if each in {"integer", "number"}), "")
    if number and "boolean" not in kinds:
        return "whole number" if number == "integer" else "number"
    return "path" if re.match(r"\^\[/", field.get("pattern", "")) else "text"
