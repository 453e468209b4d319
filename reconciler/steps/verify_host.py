"""Proves that a host runs what it should: installed, configured, and started since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal, TypeVar

from reconciler.domain.effect import Ask, AskHost
from reconciler.domain.health import image_of
from reconciler.domain.observation import Absent, HostReport, Known, Observed
from reconciler.domain.outcome import Done, Failed, Lost, Outcome
from reconciler.domain.reasons import Reason
from reconciler.steps import Args, Evidence
from reconciler.steps._judge import answer

KIND = "verify_host"
TIMEOUT_S = 60.0
REPEATABLE = True
INTERRUPTIBLE = True

T = TypeVar("T")


class Model(Args):
    """The build expected: `link` to `path` with `versions` of distributions, deb or rpm `packages`, or `containers`.

    These map name to image, and are the `engine`'s; what is empty is not asked.
    """

    host: str
    service: str
    form: Literal["environment", "packages", "rpm", "container"]
    link: str = ""
    path: str = ""
    versions: Mapping[str, str] = {}
    packages: Mapping[str, str] = {}
    containers: Mapping[str, str] = {}
    engine: Literal["", "podman", "docker"] = ""
    config_digest: str = ""
    units: tuple[str, ...] = ()
    canary: bool = False


class Findings:
    """What is wrong, what nobody can tell, and when each part of the build came."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.unknown: list[str] = []
        self.changed: list[tuple[datetime, str]] = []

    def known(self, what: str, subject: str, seen: Mapping[str, Observed[T]]) -> Iterator[T]:
        """Yield the value when it is known; note why when it is not."""
        match seen.get(subject):
            case Known(value):
                yield value
            case Absent():
                self.wrong.append(f"{what} {subject} is not there")
            case None:
                self.unknown.append(f"{what} {subject} was not asked")
            case unknown:
                self.unknown.append(f"{what} {subject}: {unknown.text}")

    def expect(self, what: str, expected: str, seen: str | None) -> None:
        """Compare."""
        if expected != seen:
            self.wrong.append(f"{what} is {seen or 'not there'} instead of {expected}")


def effect(_args: Model) -> None:
    """Change nothing: looking is all."""
    return


def shows(args: Model) -> tuple[str, ...]:
    """Show what is looked at."""
    named = {**args.packages, **args.containers}
    build = args.path if args.form == "environment" else " ".join(f"{k}={v}" for k, v in sorted(named.items()))
    units = f", {' '.join(args.units)} active and started since" if args.units else ""
    return (f"look at {args.host}: {build}{units}",)


def proved(args: Model) -> tuple[str, ...]:
    """Say what the host must show."""
    since = ", every unit started since" if args.units else ""
    return (f"{args.host} shows exactly this build{since}",)


def proofs(args: Model) -> tuple[Ask, ...]:
    """Ask what runs there."""
    return (
        AskHost(
            host=args.host,
            service=args.service,
            form=args.form,
            link=args.link,
            names=tuple(args.versions if args.form == "environment" else args.packages),
            engine=args.engine,
            units=args.units,
            configured=bool(args.config_digest),
        ),
    )


def judge(args: Model, evidence: Evidence) -> Outcome:
    """Compare the report with the build; a unit older than its build runs the old one, however healthy it is."""
    unseen = Failed(Reason.VERIFY_FAILED, f"{args.host} is not there")
    report = answer(evidence, proofs(args)[0], HostReport, absent=unseen)
    if isinstance(report, Failed | Lost):
        return report
    found = compare(args, report)
    if found.wrong:
        reason = Reason.CANARY_FAILED if args.canary else Reason.VERIFY_FAILED
        return Failed(reason, f"{args.host}: {'; '.join(found.wrong)}")
    if found.unknown:
        return Lost(Reason.STEP_LOST, f"{args.host}: {'; '.join(found.unknown)}")
    return Done({}, f"{args.host} runs what it should")


def compare(args: Model, report: HostReport) -> Findings:
    """Hold a report against the build."""
    found = Findings()
    _environment(args, report, found)
    _packages(args, report, found)
    _config(args, report, found)
    _units(args, report, found)
    _containers(args, report, found)
    return found


def _environment(args: Model, report: HostReport, found: Findings) -> None:
    if args.form != "environment":
        return
    for environment in found.known("link", args.link, report.environments):
        found.expect(f"target of {args.link}", args.path, environment.path)
        found.changed.append((environment.switched_at, f"{args.link} was switched"))
        for name, version in args.versions.items():
            found.expect(f"distribution {name}", version, environment.versions.get(name))


def _packages(args: Model, report: HostReport, found: Findings) -> None:
    for name, version in args.packages.items() if args.form in {"packages", "rpm"} else ():
        for package in found.known("package", name, report.packages):
            found.expect(f"package {name}", version, package.version)
            if package.installed_at is None:
                found.unknown.append(f"when package {name} was installed")
            else:
                found.changed.append((package.installed_at, f"package {name} was installed"))


def _config(args: Model, report: HostReport, found: Findings) -> None:
    if not args.config_digest:
        return
    for config in found.known("configuration of", args.service, report.configs):
        if config.digest is None:
            found.wrong.append(f"configuration of {args.service} was changed since reconciler wrote it")
        else:
            found.expect(f"configuration of {args.service}", args.config_digest, config.digest)
        found.changed.append((config.changed_at, "the configuration was written"))


def _units(args: Model, report: HostReport, found: Findings) -> None:
    for name in args.units:
        for unit in found.known("unit", name, report.units):
            if unit.state != "active":
                found.wrong.append(f"unit {name} is {unit.state}")
            elif unit.started_at is None:
                found.unknown.append(f"when unit {name} was started")
            else:
                later = [what for when, what in found.changed if when > unit.started_at]
                found.wrong.extend(f"unit {name} was started before {what}" for what in later[:1])


def _containers(args: Model, report: HostReport, found: Findings) -> None:
    """Hold running containers against their images; no name is known before, so those that are not listed are gone."""
    everything = report.containers.get("*")
    missing = {} if everything is None else dict.fromkeys(args.containers, everything)
    for name, image in args.containers.items():
        for container in found.known("container", name, {**missing, **report.containers}):
            found.expect(f"image of container {name}", image.partition("@")[2] or image, image_of(container, image))
            if container.state != "running":
                found.wrong.append(f"container {name} is {container.state}")
            elif container.started_at is None:
                found.unknown.append(f"when container {name} was started")
            else:
                later = [what for when, what in found.changed if when > container.started_at]
                found.wrong.extend(f"container {name} was started before {what}" for what in later[:1])
