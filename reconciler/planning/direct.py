"""Step kinds that procedures name directly: their arguments filled and checked, and the drafts they become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter, ValidationError

from reconciler.domain.action import ActionForm
from reconciler.domain.desired import REHEARSAL, Database, SecretRef
from reconciler.domain.placeholder import VALUE, fill
from reconciler.domain.plan import Json
from reconciler.domain.probe import HttpProbe, RowsProbe
from reconciler.domain.procedure import ActionSpec
from reconciler.planning.addresses import readdressed
from reconciler.planning.database_actions import database_to_json, named_database, named_target
from reconciler.planning.setting import Draft, Setting, UnfitError
from reconciler.steps import Args, DirectKind, direct_kinds
from reconciler.steps._dumps import Target

TARGET: Mapping[str, object] = {
    "service": "service",
    "engine": "mariadb",
    "dir": "/dir",
    "path": "/path",
    "host": "host",
    "port": 3306,
    "user": "user",
    "dbname": "dbname",
    "password": None,
    "python": "/usr/bin/python3",
}
"""What the planner says of a database, with values that fit."""


def form_of(kind: DirectKind) -> ActionForm:
    """Return the form of a direct kind's arguments, as far as a procedure gives them."""
    model: type[Args] = getattr(kind, "Form", kind.Model)
    fields = model.model_fields
    given: dict[str, object] = {}
    if issubclass(kind.Model, Target):
        given |= TARGET
    elif "service" in fields:
        given["service"] = "service"
    if "secret_refs" in fields:
        given["secret_refs"] = {}
    return ActionForm(
        model=model, given=given, where=kind.WHERE, secrets="secret_refs" in fields, probes=probes_of(kind)
    )


def probes_of(kind: DirectKind) -> frozenset[str]:
    """Return the arguments of a kind that may be the name of a probe."""
    found: frozenset[str] = getattr(kind, "PROBES", frozenset())
    return found


def direct(setting: Setting, spec: ActionSpec) -> tuple[Draft, ...]:
    """Turn an action that names a step kind into its draft; raises UnfitError."""
    kind = direct_kinds()[spec.action]
    filled = cast("dict[str, Json]", filled_args(_named(spec, kind.Model), setting.words()))
    args = (
        _given(kind.Model, setting, filled) | _databases(kind.Model, setting, filled) | _probes(kind, setting, filled)
    )
    model, args = fitted(kind.Model, args, spec.action)
    beyond = getattr(kind, "no_return", None)
    return (
        Draft(
            kind=spec.action,
            title=kind.title(model),
            key=spec.action,
            args=args,
            undo=kind.undo(model),
            point_of_no_return=beyond is not None and beyond(model),
        ),
    )


def load(setting: Setting, args: Mapping[str, object]) -> tuple[Draft, ...]:
    """Load the backup set into the databases of the new deployment; raises UnfitError where there is none.

    One that the old deployment has not is fresh: nothing is loaded into it, and going back empties it all the same.
    What was loaded and says where other databases are is to name those of the new deployment.
    """
    loads = _loads(setting, args, "load")
    names = [name for name in _names(setting, args) if setting.old is not None and name in setting.old.databases]
    return (*loads, *(draft for name in names for draft in readdressed(setting, name)))


def unload(setting: Setting, args: Mapping[str, object]) -> tuple[Draft, ...]:
    """Empty what this run has loaded; raises UnfitError where nothing could be loaded."""
    return _loads(setting, args, "unload", take_back=True)


def _loads(setting: Setting, args: Mapping[str, object], verb: str, **more: object) -> tuple[Draft, ...]:
    if setting.old is None:
        raise UnfitError(f"{setting.service.name} has no second deployment whose databases could be loaded")
    names = _names(setting, args)
    fresh = {name: {"fresh": True} if name not in setting.old.databases else {} for name in names}
    kept = {"keep_present": False} if setting.service.deployment == REHEARSAL else {}  # a copy of a copy is worth none
    drafts = (
        direct(setting, ActionSpec("load", {**args, **fresh[name], **kept, **more, "database": name})) for name in names
    )
    return tuple(replace(draft, key=f"{verb}.{name}") for name, (draft,) in zip(names, drafts, strict=True))


def _names(setting: Setting, args: Mapping[str, object]) -> list[str]:
    return [str(args["database"])] if "database" in args else sorted(setting.service.databases)


def _named(spec: ActionSpec, model: type[Args]) -> dict[str, object]:
    """Give arguments the names that the kind has for them, where a procedure has other ones."""
    fields = model.model_fields
    args = {"action" if key == "do" and "action" in fields else key: each for key, each in spec.args.items()}
    return {"name": spec.name, **args} if "name" in fields and spec.name else args


def filled_args(value: object, words: Mapping[str, str]) -> object:
    """Fill every text of a nested value."""
    if isinstance(value, str):
        return fill(value, words)
    if isinstance(value, Mapping):
        return {str(key): filled_args(each, words) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [filled_args(each, words) for each in value]
    return value


def has_values(value: object) -> bool:
    """Tell whether a nested value waits for what another step leaves."""
    if isinstance(value, str):
        return VALUE.search(value) is not None
    if isinstance(value, Mapping):
        return any(has_values(each) for each in value.values())
    return isinstance(value, list | tuple) and any(has_values(each) for each in value)


def fitted(model: type[Args], args: dict[str, Json], action: str) -> tuple[Args, dict[str, Json]]:
    """Return arguments as a kind has them, and as they stand in a plan; raises UnfitError.

    What waits for a value of another step is checked when that is known.
    """
    try:
        found = model.model_validate(args)
    except ValidationError as error:
        details = [each for each in error.errors() if not has_values(_at(args, each["loc"]))]
        if details or not has_values(args):
            first = (details or error.errors())[0]
            place = ".".join(map(str, first["loc"])) or "its arguments"
            raise UnfitError(f"action {action}, {place}: {first['msg']}") from None
        loose: dict[str, Any] = {key: _loose(model, key, each) for key, each in args.items()}
        return model.model_construct(**loose), args
    return found, found.model_dump(mode="json", exclude_unset=True)


def _loose(model: type[Args], key: str, value: Json) -> object:
    """Return an argument as the kind has it, or as it is while it waits for a value."""
    form: Any = model.model_fields[key].annotation
    return value if has_values(value) else TypeAdapter(form).validate_python(value)


def _at(value: Any, path: tuple[int | str, ...]) -> object:  # noqa: ANN401 - JSON, at any depth
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            break
    return value


def _given(model: type[BaseModel], setting: Setting, args: Mapping[str, Json]) -> dict[str, Json]:
    """Say what only the planner knows: the service, its secrets, and where a database is."""
    given: dict[str, Json] = {}
    if issubclass(model, Target):
        given |= named_target(setting, str(args.get("database", "")))
    elif "service" in model.model_fields:
        given["service"] = setting.service.name
    if "secret_refs" in model.model_fields and setting.service.secrets:
        given["secret_refs"] = {name: _ref(ref) for name, ref in setting.service.secrets.items()}
    return {**given, **{key: each for key, each in args.items() if key != "database" or "database" not in given}}


def _databases(model: type[BaseModel], setting: Setting, args: Mapping[str, Json]) -> dict[str, Json]:
    """Put databases that are named in the place of their names."""
    named = {name: args.get(name) for name, field in model.model_fields.items() if field.annotation is Database}
    return {
        name: database_to_json(named_database(setting, text)[1])
        for name, text in named.items()
        if isinstance(text, str)
    }


def _probes(kind: DirectKind, setting: Setting, args: Mapping[str, Json]) -> dict[str, Json]:
    """Put probes that are named in the place of their names, with the host and the databases that they ask."""
    named = {key: setting.desired.probes.get(str(args[key])) for key in sorted(probes_of(kind)) if key in args}
    found: dict[str, Json] = {}
    databases: dict[str, Json] = {}
    for key, probe in named.items():
        if probe is None:
            continue
        found[key] = cast("Json", filled_args(asdict(probe), setting.words()))
        if not isinstance(probe, HttpProbe):
            found["host"] = setting.host.name if setting.host else setting.service.bootstrap
        if isinstance(probe, RowsProbe):
            databases[probe.database] = database_to_json(named_database(setting, probe.database)[1])
    return found | ({"databases": databases} if databases else {})


def _ref(ref: SecretRef) -> Json:
    return {"kind": ref.kind, "origin": ref.origin}
