"""The words of procedures: each action turns into steps, by the form of the build."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from reconciler.domain.build import Build
from reconciler.domain.desired import REHEARSAL, SecretRef
from reconciler.domain.placeholder import VALUE, fill
from reconciler.domain.plan import Json, Undo
from reconciler.domain.procedure import ActionSpec, CutsLink
from reconciler.planning.build import expectation
from reconciler.planning.build_actions import install_build, install_tools, prepare_build
from reconciler.planning.condition import holds
from reconciler.planning.database_actions import backup, savepoint, seal, space, to_savepoint
from reconciler.planning.deployments import seen_as
from reconciler.planning.direct import direct, filled_args, fitted, load, unload
from reconciler.planning.probe_actions import smoke, verify, wait
from reconciler.planning.row_gates import backfill, gated_schema, preflight_gates
from reconciler.planning.run_actions import restart, start, stop, upgrade_check
from reconciler.planning.setting import Draft, Setting, wanted_build
from reconciler.steps import command

Expansion = Callable[[Setting, Mapping[str, object]], tuple[Draft, ...]]


def expand(setting: Setting, spec: ActionSpec) -> tuple[Draft, ...]:
    """Turn one action into step drafts; raises MissingBuildError and UnfitError."""
    if not holds(spec, setting):
        return ()
    own = ACTIONS.get(spec.action)
    drafts = own(setting, spec.args) if own else direct(setting, spec)
    return tuple(_called(draft, spec, setting, alone=len(drafts) == 1) for draft in drafts)


def _called(draft: Draft, spec: ActionSpec, setting: Setting, *, alone: bool) -> Draft:
    """Let an action's own name and title stand before those of its word."""
    draft = _guarded(draft, spec, setting)
    if spec.required and not (spec.name or spec.title):
        return draft
    key = spec.name if alone else f"{spec.name}.{draft.key}"
    title = fill(spec.title, setting.words() | {"title": draft.title}) if spec.title else draft.title
    advisory = draft.advisory or not spec.required
    return replace(draft, key=key if spec.name else draft.key, name=spec.name, title=title, advisory=advisory)


def _guarded(draft: Draft, spec: ActionSpec, setting: Setting) -> Draft:
    """Let the host of a step that may cut it off know what brings it back."""
    if spec.cuts_link is None:
        return draft
    revert, again = (
        tuple(fill(word, setting.words()) for word in argv) for argv in (spec.cuts_link.revert, spec.cuts_link.again)
    )
    return replace(draft, cuts_link=CutsLink(revert, spec.cuts_link.within_s, again or _itself(draft)))


def _itself(draft: Draft) -> tuple[str, ...]:
    """Return the argv that a command is; none where it waits for values of other steps, which no guard knows."""
    if draft.kind != command.KIND:
        return ()
    argv = command.as_argv(command.Model.model_validate(draft.args))
    return () if any(VALUE.search(word) for word in argv) else argv


def _configure(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    build = wanted_build(setting)
    if not build.files:
        return ()
    rehearsed = setting.service.deployment == REHEARSAL  # on the host of another deployment, whose stamp must stay
    common: dict[str, Json] = {"service": seen_as(setting.service) if rehearsed else setting.service.name}
    files: list[Json] = [
        {"path": f.path, "content": f.content, "mode": f.mode, "owner": f.owner, "group": f.group} for f in build.files
    ]
    refs = _refs(setting.service.secrets)
    args = common | {"digest": build.config_digest, "files": files, "secret_refs": refs}
    back = common | {"restore_from": "self"}
    undo = Undo("config_files", back, f"put the configuration of {setting.service.name} back")
    title = f"write {len(files)} configuration file{'s' if len(files) != 1 else ''} for {build.release}"
    return (Draft(kind="config_files", title=title, key=f"configure.{build.release}", args=args, undo=undo),)


def _refs(refs: Mapping[str, SecretRef]) -> dict[str, Json]:
    return {name: {"kind": ref.kind, "origin": ref.origin} for name, ref in refs.items()}


def _verify_build(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    build = wanted_build(setting)
    return (verify_host(setting, build, "verify-build"),)


def verify_host(setting: Setting, build: Build, key: str) -> Draft:
    """Ask the host itself whether it runs the build, and nothing older."""
    assert setting.host is not None
    args = expectation(build, setting.service, setting.host.name).model_dump(mode="json")
    return Draft(kind="verify_host", title=f"see {setting.service.name} {build.release} running", key=key, args=args)


def _command(setting: Setting, args: Mapping[str, object]) -> tuple[Draft, ...]:
    filled = filled_args(args, setting.words())
    assert isinstance(filled, dict)
    back = filled.pop("back", None)
    model, shown = fitted(command.Model, filled, "command")
    assert isinstance(model, command.Model)
    undo = Undo("command", shown | {"argv": back, "ok": [0]}, " ".join(back)) if back else None
    return (Draft(kind="command", title=" ".join(model.argv), key="command", args=shown, undo=undo),)


ACTIONS: Mapping[str, Expansion] = {
    "prepare_build": prepare_build,
    "install_build": install_build,
    "install_tools": install_tools,
    "configure": _configure,
    "stop": stop,
    "start": start,
    "restart": restart,
    "space": space,
    "backup": backup,
    "savepoint": savepoint,
    "to_savepoint": to_savepoint,
    "load": load,
    "unload": unload,
    "row_gates": preflight_gates,
    "upgrade_check": upgrade_check,
    "schema": gated_schema,
    "backfill": backfill,
    "seal": seal,
    "verify_build": _verify_build,
    "verify": verify,
    "smoke": smoke,
    "wait_until": wait,
    "command": _command,
}
