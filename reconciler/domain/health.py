"""Judges by a host's report whether a unit or a container is well: it runs, is healthy, and is the right one."""

from __future__ import annotations

from reconciler.domain.observation import Absent, Container, HostReport, Known, Observed, Unit, Unknown
from reconciler.domain.outcome import Life, Sample
from reconciler.domain.probe import ContainerProbe, UnitProbe


def judge_unit(probe: UnitProbe, report: HostReport) -> Sample:
    """Take an active unit for good, and remember which life of it was seen."""
    seen = report.units.get(probe.unit)
    if not isinstance(seen, Known):
        return _unseen(f"unit {probe.unit}", seen)
    unit = seen.value
    life = Life(unit.started_at, unit.restarts) if unit.state == "active" else None
    return Sample(unit.state == "active", f"unit {probe.unit} is {unit.state}", life)


def judge_container(probe: ContainerProbe, report: HostReport) -> Sample:
    """Take a running container for good that its own health check does not call ill or young, of the image wanted."""
    seen = report.containers.get(probe.container, report.containers.get("*"))
    if not isinstance(seen, Known):
        return _unseen(f"container {probe.container}", seen)
    container, name = seen.value, f"container {probe.container}"
    if container.state != "running":
        return Sample(ok=False, text=f"{name} is {container.state}")
    if probe.image and (runs := image_of(container, probe.image)) != (probe.image.partition("@")[2] or probe.image):
        return Sample(ok=False, text=f"{name} runs {runs or 'no known digest'} instead of {probe.image}")
    if container.health not in {"", "healthy"}:
        return Sample(ok=False, text=f"{name} runs, and its health is {container.health}")
    life = Life(container.started_at, container.restarts)
    return Sample(ok=True, text=f"{name} is running{' and healthy' if container.health else ''}", life=life)


def image_of(container: Container, wanted: str) -> str:
    """Return what a container runs, as the image wanted is named: by digest where that has one."""
    tagged = f"{container.image}:{container.tag}" if container.tag else container.image
    return container.digest if "@" in wanted else tagged


def _unseen(what: str, seen: Observed[Unit] | Observed[Container] | None) -> Sample:
    match seen:
        case Absent():
            return Sample(ok=False, text=f"{what} is not there")
        case Unknown(text=text):
            return Sample(None, f"{what}: {text}")
        case _:
            return Sample(None, f"{what} was not asked")
