"""Says which build a release means on a host, and how what was seen differs from it."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.domain.build import Build, FilledFile
from reconciler.domain.desired import BuildSpec, ConfigFile, Host, Service
from reconciler.domain.observation import Absent, ConfigState, Environment, HostReport, Known, Observed, Unit, Unknown
from reconciler.planning.fill import fill, release_words


def build_for(service: Service, host: Host, release: str, version: str) -> Build | None:
    """Return the filled build, or None when the desired state does not say how the release is put on hosts."""
    spec = service.builds.get(release) or service.builds.get("*")
    if spec is None:
        return None
    words = release_words(service, host, release, version)
    files = service.config.get(release) or service.config.get("*") or ()
    return Build(
        release=release,
        form=spec.form,
        path=fill(spec.path, words),
        link=fill(spec.link, words),
        python=fill(spec.python, words),
        requirements=tuple(fill(line, words) for line in spec.requirements),
        pip_args=tuple(fill(line, words) for line in spec.pip_args),
        versions=_pinned(fill(line, words) for line in spec.requirements),
        packages={name: fill(text, words) for name, text in spec.packages.items()},
        files=tuple(_file(file, words) for file in files),
    )


def _file(file: ConfigFile, words: dict[str, str]) -> FilledFile:
    return FilledFile(
        path=fill(file.path, words),
        content=fill(file.template, words),
        mode=file.mode,
        owner=file.owner,
        group=file.group,
    )


def _pinned(requirements: Iterable[str]) -> dict[str, str]:
    """Read the `name==version` lines; others cannot be compared and are left to the environment's own marker."""
    pairs = (line.split("==", 1) for line in requirements if "==" in line and not line.startswith("-"))
    return {name.strip().lower(): version.split(";")[0].strip() for name, version in pairs}


def differences(build: Build, service: Service, report: HostReport) -> list[str]:
    """List in sentences how a host differs from a build; nothing when it runs exactly that."""
    found = _code_differences(build, report)
    found += _config_differences(build, service, report)
    return found + _process_differences(build, service, report)


def _code_differences(build: Build, report: HostReport) -> list[str]:
    if build.form == "packages":
        return [
            text
            for name, version in build.packages.items()
            if (text := _package_difference(report, name, version)) is not None
        ]
    seen = report.environments.get(build.link)
    if not isinstance(seen, Known):
        return [f"environment {build.link} {_gone(seen)}"]
    if seen.value.path != build.path:
        return [f"environment {build.link} points to {seen.value.path}, not {build.path}"]
    return [
        f"{name} {seen.value.versions.get(name, 'missing')} is installed, not {version}"
        for name, version in build.versions.items()
        if name in seen.value.versions and seen.value.versions[name] != version
    ]


def _package_difference(report: HostReport, name: str, version: str) -> str | None:
    seen = report.packages.get(name)
    if not isinstance(seen, Known):
        return f"package {name} {_gone(seen)}"
    return None if seen.value.version == version else f"package {name} is {seen.value.version}, not {version}"


def _config_differences(build: Build, service: Service, report: HostReport) -> list[str]:
    if not build.files:
        return []
    seen = report.configs.get(service.name)
    if not isinstance(seen, Known):
        return [f"configuration {_gone(seen)}"]
    if seen.value.digest is None:
        return ["configuration was changed by hand or never written by us"]
    return [] if seen.value.digest == build.config_digest else ["configuration is of another revision"]


def _process_differences(build: Build, service: Service, report: HostReport) -> list[str]:
    found = []
    changed = changed_at(build, service, report)
    for name in service.units:
        seen = report.units.get(name)
        if not isinstance(seen, Known):
            found.append(f"unit {name} {_gone(seen)}")
        elif seen.value.state != "active":
            found.append(f"unit {name} is {seen.value.state}")
        elif _older(seen.value, changed):
            found.append(f"unit {name} runs since before what is installed now")
    return found


def _older(unit: Unit, changed: float | None) -> bool:
    return changed is not None and unit.started_at is not None and unit.started_at.timestamp() < changed


def changed_at(build: Build, service: Service, report: HostReport) -> float | None:
    """Return when code or configuration last changed on the host's clock, seconds; None when nothing tells."""
    times: list[float] = []
    environment: Observed[Environment] | None = report.environments.get(build.link)
    if build.form == "environment" and isinstance(environment, Known):
        times.append(environment.value.switched_at.timestamp())
    config: Observed[ConfigState] | None = report.configs.get(service.name)
    if build.files and isinstance(config, Known):
        times.append(config.value.changed_at.timestamp())
    return max(times, default=None)


def installed_release(service: Service, host: Host, report: HostReport, versions: dict[str, str]) -> str:
    """Return the release whose build is installed, judged by code alone; empty when none matches.

    `versions` maps every candidate release to its package version.
    """
    for release, version in versions.items():
        build = build_for(service, host, release, version)
        if build is not None and not _code_differences(build, report):
            return release
    return ""


def specs(service: Service) -> tuple[BuildSpec, ...]:
    """Return all build specifications of a service."""
    return tuple(service.builds.values())


def _gone(seen: object) -> str:
    if isinstance(seen, Absent):
        return "is absent"
    if isinstance(seen, Unknown):
        return f"is unknown: {seen.text}"
    return "was not looked for"
