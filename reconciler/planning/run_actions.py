"""Actions that stop and start what runs on a host: units, or containers that are there in their place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from reconciler.domain.build import Build
from reconciler.domain.desired import ContainerSpec
from reconciler.domain.placeholder import fill
from reconciler.domain.plan import Json, Undo
from reconciler.planning.build_actions import PACKAGES
from reconciler.planning.database_actions import own_argv
from reconciler.planning.setting import Draft, Setting
from reconciler.planning.words import host_words
from reconciler.steps import container

_OPPOSITE = {"started": "stopped", "stopped": "started", "restarted": "restarted"}
_VERB = {"started": "start", "stopped": "stop", "restarted": "restart"}


def upgrade_check(setting: Setting, args: Mapping[str, object]) -> tuple[Draft, ...]:
    """Run the goal's own upgrade check, where git says how its tool is called, and its code is there by then.

    Environments and images are `prepared` before the pause. Packages are `installed` in it, for that replaces what
    serves: they are asked once the tools are there, before the schema moves. Checks of later stops ask about what the
    walk makes.
    """
    if setting.start != setting.origin:
        return ()
    release = setting.catalog.service(setting.service.component).at(setting.goal)
    argv = release.commands.upgrade_check
    build = setting.build(setting.goal)
    if argv is None or build is None or argv[0] not in setting.service.commands:
        return ()
    if (build.form in PACKAGES) != (args.get("code") == "installed"):
        return ()
    lies: list[Json] = [
        {"codes": [*each.codes], "output": each.output, "reason": each.reason} for each in release.commands.lies
    ]
    checked: dict[str, Json] = {"argv": own_argv(setting, argv, setting.goal), "lies": lies}
    title = f"{' '.join(argv)} with {setting.goal}'s code"
    return (Draft(kind="upgrade_check", title=title, key=f"upgrade-check.{setting.goal}", args=checked),)


def stop(setting: Setting, args: Mapping[str, object]) -> tuple[Draft, ...]:
    """Stop the containers that are there, and the units; units that give way to containers are stopped for good."""
    there = setting.position.containers if setting.position else frozenset()
    builds = _builds(setting) if there else ()
    found = {each.name: each for build in builds for each in build.containers if each.name in there}
    containers = tuple(_container(each, "stop", setting) for each in found.values()) if "units" not in args else ()
    goal = setting.build(setting.goal)
    return (*containers, *_units(setting, args, "stopped", gives_way=goal is not None and goal.form == "container"))


def start(setting: Setting, args: Mapping[str, object]) -> tuple[Draft, ...]:
    """Start the units, or the containers, of the goal."""
    build = setting.build(setting.goal)
    if build is not None and build.form == "container" and "units" not in args:
        return tuple(_container(each, "replace", setting) for each in build.containers)
    return _units(setting, args, "started")


def restart(setting: Setting, args: Mapping[str, object]) -> tuple[Draft, ...]:
    """Restart the units, or the containers, of the goal."""
    build = setting.build(setting.goal)
    if build is not None and build.form == "container" and "units" not in args:
        both = ("stop", "start")
        return tuple(_container(each, action, setting) for each in build.containers for action in both)
    return _units(setting, args, "restarted")


def _builds(setting: Setting) -> Iterable[Build]:
    """Return the builds of which something may run: that of the goal, and that where the host stands."""
    at = setting.position.release if setting.position and setting.position.release else setting.start
    return filter(None, (setting.build(release) for release in dict.fromkeys((at, setting.goal))))


def _container(spec: ContainerSpec, action: str, setting: Setting) -> Draft:
    assert setting.host is not None
    args: dict[str, Json] = {
        "action": action,
        "name": spec.name,
        "engine": spec.engine,
        "host": setting.host.name,
    }
    if action == "replace":
        kolla: Json = {"folder": spec.kolla} if spec.kolla else None
        args |= {key: each for key, each in asdict(spec).items() if key != "kolla" and each}
        args |= {"kolla": kolla} if kolla else {}
    elif action == "stop":
        args["absent_ok"] = True
    model = container.Model.model_validate(args)
    key = {"replace": "start"}.get(action, action)
    shown = model.model_dump(mode="json", exclude_unset=True)
    return Draft(
        kind="container",
        title=container.title(model),
        key=f"{key}.{spec.name}",
        args=shown,
        undo=container.undo(model),
    )


def _units(setting: Setting, args: Mapping[str, object], state: str, *, gives_way: bool = False) -> tuple[Draft, ...]:
    named = args.get("units", setting.service.units)
    assert isinstance(named, list | tuple)
    if not named:
        return ()
    names, back = " ".join(str(unit) for unit in named), _OPPOSITE[state]
    assert setting.host is not None
    common = {"host": setting.host.name} | _manager(setting) | {"units": [str(unit) for unit in named]}
    lasting: dict[str, Json] = {"enable": False, "absent_ok": True} if gives_way else {}
    undone: dict[str, Json] = {"enable": True} if gives_way else {}
    undo = Undo("units", {**common, "state": back, **undone}, f"{_VERB[back]} {names}")
    title = f"{_VERB[state]} {names}"
    return (Draft(kind="units", title=title, key=_VERB[state], args={**common, "state": state, **lasting}, undo=undo),)


def _manager(setting: Setting) -> dict[str, Json]:
    assert setting.host is not None
    words = host_words(setting.service, setting.host)
    return {
        "manager": setting.host.manager,
        "manager_config": fill(setting.host.manager_config, words),
        "supervisorctl": setting.host.vars.get("supervisorctl", "supervisorctl"),
    }
