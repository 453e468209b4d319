"""Actions that bring a build onto a host: each form has its own step kind."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.domain.build import Build
from reconciler.domain.plan import Json, Undo
from reconciler.planning.setting import Draft, Setting, wanted_build

PACKAGES = {"packages": "deb_packages", "rpm": "rpm_packages"}
"""The step kind of each form that is packages."""


def prepare_build(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    """Fetch what can be fetched before anything is stopped."""
    build = wanted_build(setting)
    key, title = f"prepare.{build.release}", f"prepare {setting.service.name} {build.release}"
    if build.form in PACKAGES:
        args: dict[str, Json] = {"action": "download", "packages": dict(build.packages), "hold": False}
        return (Draft(kind=PACKAGES[build.form], title=title, key=key, args=args),)
    if build.form == "container":
        images = {each.image: each.engine for each in build.containers}
        return tuple(
            Draft(
                kind="container",
                title=f"pull {image}",
                key=key if len(images) == 1 else f"{key}.{number}",
                args={"action": "pull", "image": image, "engine": engine},
            )
            for number, (image, engine) in enumerate(images.items(), start=1)
        )
    return (Draft(kind="environment", title=title, key=key, args=_environment("prepare", build)),)


def _environment(action: str, build: Build) -> dict[str, Json]:
    return {
        "action": action,
        "path": build.path,
        "link": build.link,
        "python": build.python,
        "requirements": list(build.requirements),
        "pip_args": list(build.pip_args),
    }


def install_build(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    """Let the host's code be that of the goal; a container is installed when it starts."""
    build = wanted_build(setting)
    if build.form in PACKAGES:
        return _install_packages(setting, build)
    if build.form == "container":
        return ()
    undo = None
    before = setting.position.link_path if setting.position else ""
    if before:
        # Of the older one nothing is said but its place: it was not made from what the new one is made from.
        args: dict[str, Json] = {"action": "switch", "path": before, "link": build.link, "foreign_ok": True}
        was = (setting.position.release if setting.position else "") or before
        undo = Undo("environment", args, f"switch {setting.service.name} back to {was}")
    title = f"switch {setting.service.name} to {build.release}"
    return (Draft(kind="environment", title=title, key="install", args=_environment("switch", build), undo=undo),)


def _install_packages(setting: Setting, build: Build) -> tuple[Draft, ...]:
    kind, undo = PACKAGES[build.form], None
    seen = (setting.position.packages if setting.position else None) or {}
    before: dict[str, Json] = {name: seen[name] for name in build.packages if name in seen}
    if before:
        args: dict[str, Json] = {"action": "install", "packages": before, "hold": True}
        undo = Undo(kind, args, f"bring back {_list(before)}")
    args = {"action": "install", "packages": dict(build.packages), "hold": True}
    title = f"install {_list(build.packages)}"
    return (Draft(kind=kind, title=title, key=f"install.{build.release}", args=args, undo=undo),)


def _list(packages: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {version}" for name, version in packages.items())


def install_tools(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    """Make a release's tools usable on the bootstrap host; environments and images that were prepared are enough."""
    build = wanted_build(setting)
    return _install_packages(setting, build) if build.form in PACKAGES else ()
