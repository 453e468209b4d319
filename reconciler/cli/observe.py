"""`reconciler observe`: one look at the fleet, here and now, which changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from reconciler.cli import world
from reconciler.cli.output import Config, Folder, Format, Output, add_row, note, print_lines, table, write_data
from reconciler.domain.observation import HostReport, Known, Observations, Observed, Unknown
from reconciler.domain.release import near_miss
from reconciler.errors import ReconcilerError
from reconciler.planning.observed_json import observed_to_json


def observe(
    host: list[str] = typer.Option([], "--host", help="Only this host; may be given again."),
    folder: Path | None = Folder,
    output: Format = Output,
    config: Path | None = Config,
) -> None:
    """Look at hosts and databases once.

    With -o json in the form that `plan DIR --observed` reads.
    """
    settings = world.settings_from(config)
    desired = world.desired_of(settings, folder)
    for name in host:
        if name not in desired.hosts:
            raise ReconcilerError(f"no host {name!r}", reason="UnknownHost", hint=near_miss(name, desired.hosts))
    note(f"looking at {len(host) or len(desired.hosts)} hosts and their databases")
    seen = world.look(settings, desired, host or None)
    if output is Format.TABLE:
        _show(seen)
    else:
        write_data(observed_to_json(seen), output)


def _show(seen: Observations) -> None:
    rows = table("target", "seen", "what")
    for name, report in seen.hosts.items():
        add_row(rows, (f"host {name}", _state(report), _report(report)), _style(report))
    for (service, name), marker in seen.databases.items():
        text = str(marker.value.as_json()) if isinstance(marker, Known) else getattr(marker, "text", "")
        add_row(rows, (f"database {service}/{name}", _state(marker), text), _style(marker))
    for (service, rule), finding in seen.exposures.items():
        text = finding.value.text if isinstance(finding, Known) else getattr(finding, "text", "")
        exposed = "not " if isinstance(finding, Known) and not finding.value.exposed else ""
        state = f"{exposed}exposed" if isinstance(finding, Known) else _state(finding)
        add_row(rows, (f"rule {service}/{rule}", state, text), _style(finding))
    print_lines(rows)


def _report(report: Observed[HostReport]) -> str:
    if not isinstance(report, Known):
        return getattr(report, "text", "")
    found = report.value
    parts = [f"{link} → {e.value.path}" for link, e in found.environments.items() if isinstance(e, Known)]
    parts += [f"{name} {p.value.version}" for name, p in found.packages.items() if isinstance(p, Known)]
    parts += [f"{name} {u.value.state}" for name, u in found.units.items() if isinstance(u, Known)]
    parts += [
        f"container {n} {c.value.tag} {c.value.state}" for n, c in found.containers.items() if isinstance(c, Known)
    ]
    every = (found.environments, found.packages, found.units, found.containers, found.configs)
    parts += [f"{name}: {each.text}" for part in every for name, each in part.items() if isinstance(each, Unknown)]
    return ", ".join(parts)


def _state(seen: Observed[Any]) -> str:
    return type(seen).__name__.lower() + (f", {seen.reason}" if isinstance(seen, Unknown) else "")


def _style(seen: Observed[Any]) -> str:
    return "" if isinstance(seen, Known) else "yellow"
