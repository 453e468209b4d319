"""What the observers' scripts would print on a machine: the inverse of their parsers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.ports import Answer, Question

if TYPE_CHECKING:
    from tests.fakes.cloud import Machine


def spoken(question: Question, machine: Machine) -> Answer:
    """Answer one question."""
    kind = question.key.partition(":")[0]
    if kind == "containers":
        return Answer(0, _containers(machine).encode())
    lines = {
        "host_facts": _facts,
        "deb_packages": _packages,
        "rpm_packages": _rpms,
        "environments": _environment,
        "units": _units,
        "config_digest": _config,
    }[kind](question, machine)
    return Answer(0, "\n".join([*lines, "end"]).encode() + b"\n")


def _facts(_question: Question, _machine: Machine) -> Iterator[str]:
    yield "boot\t00000000-0000-4000-8000-000000000000"


def _packages(question: Question, machine: Machine) -> Iterator[str]:
    for name in question.args:
        yield f"asked\t{name}"
    for name in question.args:
        if name in machine.packages:
            package = machine.packages[name]
            want = "hold" if package.held else "install"
            when = _s(package.installed_at) if package.installed_at else ""
            yield f"package\t{name}\t{want} ok installed\t{when}\t{package.version}"


def _rpms(question: Question, machine: Machine) -> Iterator[str]:
    for name in question.args:
        yield f"asked\t{name}"
    for name in question.args:
        if name in machine.packages:
            package = machine.packages[name]
            version = package.version if ":" in package.version else f"0:{package.version}"
            when = _s(package.installed_at) if package.installed_at else ""
            yield f"package\t{name}\t{version}\t{when}\t{'held' if package.held else 'free'}"


def _environment(question: Question, machine: Machine) -> Iterator[str]:
    yield f"link\t{question.args[0]}"
    if question.args[0] in machine.environments:
        environment = machine.environments[question.args[0]]
        yield f"path\t{environment.path}"
        yield f"switched\t{_s(environment.switched_at)}"
        for name, version in environment.versions.items():
            yield f"dist\t{name}\t{version}"


def _units(question: Question, machine: Machine) -> Iterator[str]:
    for name in question.args:
        unit = machine.units.get(name)
        yield f"unit\t{name}"
        yield f"LoadState={'loaded' if unit else 'not-found'}"
        yield f"ActiveState={unit.state if unit else 'inactive'}"
        started = unit.started_at.strftime("%a %Y-%m-%d %H:%M:%S UTC") if unit and unit.started_at else ""
        yield f"ExecMainStartTimestamp={started}"
        yield "ActiveEnterTimestamp="


def _config(question: Question, machine: Machine) -> Iterator[str]:
    service = question.args[1]
    yield f"service\t{service}"
    if service in machine.configs:
        state = machine.configs[service]
        yield f"written\t{_s(state.changed_at)}"
        yield f"digest\t{state.digest}"


def _containers(machine: Machine) -> str:
    shown = [
        {
            "Names": [name],
            "Image": f"{each.image}:{each.tag}" if each.tag else f"{each.image}@{each.digest}",
            "ImageID": name,
            "State": each.state,
            "StartedAt": _s(each.started_at) if each.started_at else 0,
        }
        for name, each in machine.containers.items()
    ]
    images = [{"Id": name, "Digest": each.digest} for name, each in machine.containers.items()]
    return f"{json.dumps(shown)}\nimages\n{json.dumps(images)}\nend\n"


def _s(at: datetime) -> int:
    return int(at.timestamp())
