"""`reconciler why`: all that is known about why a service, or a host of it, is as it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from reconciler.cli import world
from reconciler.cli.output import STYLES, Config, Format, Output, say, usage, write_data
from reconciler.cli.why_trace import Known, chosen, lines_of, trace_of
from reconciler.domain.desired import Desired
from reconciler.planning.preview import Preview


def why(
    target: str = typer.Argument(metavar="SERVICE[@HOST]", help="A service, or a service on one host."),
    folder: Path | None = typer.Option(None, "--dir", help="Ask of this folder instead of the daemon."),
    observed: Path | None = typer.Option(None, help="What `reconciler observe -o json` wrote; with --dir only."),
    output: Format = Output,
    config: Path | None = Config,
) -> None:
    """Explain the verdict over a service.

    From what is desired, and where that is written, over what was seen and the rules of its route to what stands in
    the way and who can clear it; and the open run with its steps.
    """
    name, _, host = target.partition("@")
    if (folder is None) != (observed is None):
        usage("--dir DIR and --observed FILE belong together; `reconciler observe -o json > FILE` writes one")
    known = _of_folder(name, folder, observed) if folder and observed else _of_daemon(name, config)
    found = trace_of(known, host)
    if output is not Format.TABLE:
        write_data(found, output)
        return
    verdict = found["verdict"]
    state = ", ".join(filter(None, (verdict["state"], verdict["reason"])))
    say(f"{found['service']}{f'@{host}' if host else ''}: {state or 'to be moved'}", STYLES.get(verdict["state"], ""))
    for line in lines_of(found, datetime.now(UTC)):
        say(line)


def _of_daemon(name: str, config: Path | None) -> Known:
    from reconciler.planning.status_json import previews_from_json

    with world.opened(world.settings_from(config)) as reader:
        status = world.published(reader, "status")
        diff, plans = reader.document("diff"), reader.document("plans")
        history = world.history_of(reader)
    service = chosen(status["services"], "service", name)
    group = service["group"]
    compared: Any = diff.body if diff is not None else {"services": []}  # nothing before the first look
    published: Any = plans.body if plans is not None else {"groups": []}
    scopes = ("", group, name)
    return Known(
        status=service,
        place=next((each for each in compared["services"] if each["service"] == name), {}),
        preview=next((each for each in previews_from_json(published) if each.group == group), None),
        revision=status["revision"],
        head=status["source"]["head"],
        halts=tuple(each for each in status["halts"] if each["scope"] == group),
        suspensions=tuple(each for each in status["suspensions"] if each["scope"] in scopes),
        problems=tuple(status["problems"]),
        run=history.open_run(group),
    )


def _of_folder(name: str, folder: Path, observed: Path) -> Known:
    from reconciler.catalog.load import load_catalog
    from reconciler.planning.preview import positions_of, preview
    from reconciler.planning.status_json import diff_to_json

    desired, seen = world.read_folder(folder), world.read_observed(observed)
    catalog = load_catalog(desired.catalog)
    compared = diff_to_json("", desired, positions_of(desired, catalog, seen), seen)
    place = chosen(compared["services"], "service", name)
    group = next(group for group, services in desired.groups.items() if name in services)
    found = next(each for each in preview(desired, catalog, seen, datetime.now(UTC)) if each.group == group)
    return Known(status=_verdict(name, place, found, desired), place=place, preview=found)


def _verdict(name: str, place: Mapping[str, Any], found: Preview, desired: Desired) -> dict[str, Any]:
    """Say what a daemon with an empty journal would say."""
    blocked = found.plan.blocked if found.plan else ()
    if blocked:
        said = ("Blocked", blocked[0].reason, blocked[0].text, blocked[0].hint)
    elif found.plan is None:
        said = ("InSync", "InSync", "everything runs as desired", "Nothing to do.")
    else:
        said = ("", "", f"a leg of {len(found.plan.steps)} steps would be begun", "`reconciler plan` shows it.")
    return {
        "service": name,
        "group": found.group,
        "desired": desired.services[name].release,
        "position": place["position"],
        **dict(zip(("verdict", "reason", "text", "hint"), said, strict=True)),
        "since": "",
    }
