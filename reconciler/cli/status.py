"""`reconciler status`: how everything stands, as the daemon published it after its newest pass."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live

from reconciler.cli import world
from reconciler.cli.output import (
    STYLES,
    Config,
    Format,
    Output,
    add_row,
    out,
    plain,
    print_lines,
    prose,
    table,
    write_data,
)
from reconciler.cli.remaining import lines_of, remaining_of
from reconciler.domain.who import WORDS, Who

if TYPE_CHECKING:
    from reconciler.adapters.journal import JournalReader

STALE_S = 90.0
"""A status older than this is of a daemon that does not run: it writes one every 30 s at least."""

EVERY_S = 1.0


def status(
    watch: bool = typer.Option(False, "--watch", "-w", help="Go on showing it until interrupted."),
    remaining: bool = typer.Option(
        False, "--remaining", help="Also what open runs have still to do, as commands for a person to run by hand."
    ),
    output: Format = Output,
    config: Path | None = Config,
) -> None:
    """Show how every service stands, and what is halted."""
    with world.opened(world.settings_from(config)) as reader:
        if watch:
            _watch(lambda: _read(reader, remaining=remaining), output)
        else:
            write_status(_read(reader, remaining=remaining), output)


def _read(reader: JournalReader, *, remaining: bool) -> Mapping[str, Any]:
    """Read the newest status, and from the journal what remains to be done."""
    steps = remaining_of(world.history_of(reader)) if remaining else []
    older: Mapping[str, Any] = {"stalls": []}  # what an older daemon did not publish
    return {**older, **world.published(reader, "status"), "remaining": steps}


def _watch(read: Any, output: Format) -> None:  # noqa: ANN401 - a reader of the newest status
    """Show each new status: in place on a terminal, one after the other in a pipe."""
    shown: Mapping[str, Any] = {}
    console = out()
    live = Live(console=console, auto_refresh=False) if console.is_terminal and output is Format.TABLE else None
    if live:
        live.start()
    try:
        while True:
            found = read()
            if live:
                live.update(picture(found, datetime.now(UTC)), refresh=True)
            elif {**found, "at": ""} != {**shown, "at": ""}:
                write_status(found, output)
            shown = found
            time.sleep(EVERY_S)
    finally:
        if live:
            live.stop()


def write_status(found: Mapping[str, Any], output: Format) -> None:
    """Write a status."""
    if output is Format.TABLE:
        print_lines(picture(found, datetime.now(UTC)))
    else:
        write_data(found, output)


def picture(found: Mapping[str, Any], now: datetime) -> RenderableType:
    """Draw a status."""
    parts: list[RenderableType] = [_heading(found, now)]
    parts += _source(found["source"])
    parts += map(plain, refused(found))
    if found["services"]:
        parts += ["", _services(found)]
    for each in found["stalls"]:
        parts += _stall(each, found["halts"])
    for halt in found["halts"]:
        parts.append(f"[bold red]halt {plain(halt['id'])}[/] on {plain(halt['scope'])} since {halt['since']}")
        parts += map(prose, halt_lines(halt))
    for each in found["suspensions"]:
        scope = each["scope"] or "the fleet"
        parts.append(plain(f"suspended: {scope} by {each['by']} since {each['since']}: {each['why']}"))
    for each in found.get("rehearsals", ()):
        parts.append(plain(f"rehearsal of {each['service']}: {each['state']} (run {each['run']})"))
    for each in found.get("quarantine", ()):  # an older daemon told of none
        of = ", ".join(each["services"]) or "no service"
        parts.append(plain(f"quarantined: {each['host']} ({of}) until {each['until']} by {each['by']}: {each['why']}"))
    if found["remaining"]:
        parts += ["", *map(plain, lines_of(found["remaining"]))]
    return Group(*parts)


def _source(source: Mapping[str, Any]) -> Iterator[str]:
    if source["problem"]:
        yield f"[yellow]source, {plain(source['problem'])}[/]: {prose(source['text'])}"
        yield plain(f"  hint: {source['hint']}")


def _stall(stall: Mapping[str, Any], halts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say what stands still, but for what is said of source and halts anyway."""
    if not stall["group"] or any((halt["scope"], halt["text"]) == (stall["group"], stall["text"]) for halt in halts):
        return
    since = f" since {stall['since']}" if stall["since"] else ""
    yield f"[yellow]{plain(stall['group'])}, {stall['kind']}[/]{since}: {prose(stall['text'])}"
    yield plain(f"  hint: {stall['hint']} ({WORDS[Who(stall['owner'])]})")


def refused(found: Mapping[str, Any]) -> Iterator[str]:
    """Say in lines which commit is refused, and why; nothing when the newest one is in force."""
    if not found["problems"]:
        return
    stays = f"{found['revision'][:12]} stays in force" if found["revision"] else "there is no good one before it"
    yield f"commit {found['source']['head'][:12]} is refused; {stays}"
    for each in found["problems"]:
        yield f"  {each['reason']}: {each['text']}"
        yield f"    hint: {each['hint']}"


def halt_lines(halt: Mapping[str, Any]) -> Iterator[str]:
    """Say in lines what a halt is about, what to do, and how to go on then."""
    yield f"  {halt['reason']}: {halt['text']}"
    yield f"  hint: {halt['hint']}"
    yield (
        f"  then: `reconciler retry {halt['scope']}` tries again; "
        f"`reconciler clear-halt {halt['id']}` ends the halt and waits for another commit"
    )


def _heading(found: Mapping[str, Any], now: datetime) -> str:
    hosts = found["hosts"]
    age = (now - datetime.fromisoformat(found["at"])).total_seconds()
    stale = f" [bold red](no daemon has reported for {age:.0f} s)[/]" if age > STALE_S else ""
    fleet, revision = found["fleet"] or "no fleet yet", found["revision"][:12] or "none"
    known = f"{hosts['known']} of {hosts['total']} hosts known"
    return f"[bold]{plain(fleet)}[/] at revision {plain(revision)}: {known}{stale}"


def _services(found: Mapping[str, Any]) -> RenderableType:
    rows = table("service", "group", "position", "desired", "verdict", "reason", "phase", "steps", "since")
    for each in found["services"]:
        steps = f"{each['steps']['done']}/{each['steps']['of']}" if each["steps"]["of"] else ""
        place = (each["service"], each["group"], each["position"] or "?", each["desired"])
        cells = (*place, each["verdict"], each["reason"], each["phase"], steps, each["since"])
        add_row(rows, cells, STYLES.get(each["verdict"], ""))
    return rows
