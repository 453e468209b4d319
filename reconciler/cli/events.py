"""`reconciler events`: what happened, one line each, and what happens now."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from reconciler.cli import world
from reconciler.cli.history import BAD, words
from reconciler.cli.output import Config, Format, Output, say, to_json, write_data
from reconciler.domain.chain import START, Place
from reconciler.domain.journal import Entry, Kind
from reconciler.domain.text import one_line

if TYPE_CHECKING:
    from reconciler.adapters.journal import JournalReader

EVERY_S = 1.0
_WARNINGS = frozenset({Kind.HALT_RAISED, Kind.TURNED_BACK, Kind.REVISION_REFUSED})
Event = Mapping[str, str]
Stalls = Mapping[tuple[str, str, str], Mapping[str, Any]]


def events(
    service: str = typer.Argument("", metavar="[SERVICE]", help="Only what happens to this service or group."),
    number: int = typer.Option(20, "--number", "-n", min=0, help="How many of the newest events; 0 means all."),
    follow: bool = typer.Option(False, "--follow", "-f", help="Go on until interrupted, with what stands still."),
    warnings: bool = typer.Option(False, "--warnings", help="Only what a person should look at."),
    output: Format = Output,
    config: Path | None = Config,
) -> None:
    """Show what happened.

    Commits, plans, steps as they end, halts, commands of people. `history` has the same as proof, entry by entry. With
    `--follow -o json` it is one object per line.
    """
    with world.opened(world.settings_from(config)) as reader:
        groups = {service, _group_of(reader, service)} if service else set()

        def wanted(each: Event) -> bool:
            return (not groups or each["group"] in groups) and (not warnings or each["level"] == "warning")

        entries = reader.read()
        found = [each for each in map(event_of, entries) if each is not None and wanted(each)]
        write_events(found[-number:] if number else found, output, follow=follow)
        if follow:
            for each in _following(reader, entries[-1] if entries else START):
                if wanted(each):
                    write_events([each], output, follow=True)


def event_of(entry: Entry) -> Event | None:
    """Word an entry of the journal as an event; an intent is none, for its result follows."""
    if entry.kind == Kind.INTENT:
        return None
    bad = entry.kind in _WARNINGS or entry.body.get("outcome") in BAD
    text = f"{entry.step}: {words(entry)}" if entry.step else words(entry)
    return _event(entry.at, "warning" if bad else "normal", entry.group, entry.kind, text)


def stall_events(before: Stalls, after: Stalls, at: datetime) -> Iterator[Event]:
    """Say what began to stand still between two statuses, and what moves again."""
    for key, stall in after.items():
        if key not in before:
            text = f"{stall['kind']}: {stall['text']} ({stall['owner']}: {stall['hint']})"
            yield _event(at, "warning", stall["group"], "stall_began", text)
    for key, stall in before.items():
        if key not in after:
            yield _event(at, "normal", stall["group"], "stall_over", f"{stall['kind']}: {stall['text']}")


def stalls_in(status: Mapping[str, Any]) -> Stalls:
    """Return the stalls of a published status by what makes them: kind, group and reason."""
    return {(each["kind"], each["group"], each["reason"]): each for each in status.get("stalls", ())}


def _event(at: datetime, level: str, group: str, what: str, text: str) -> Event:
    moment = at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return {"at": moment, "level": level, "group": group, "event": what, "text": text}


def _group_of(reader: JournalReader, service: str) -> str:
    status = reader.document("status")
    body: Any = status.body if status is not None else {"services": []}
    return next((each["group"] for each in body["services"] if each["service"] == service), service)


def _following(reader: JournalReader, seen: Entry | Place) -> Iterator[Event]:
    stalls = _stalls(reader)
    while True:
        time.sleep(EVERY_S)
        entries = reader.read(seen)
        yield from filter(None, map(event_of, entries))
        now = _stalls(reader)
        yield from stall_events(stalls, now, datetime.now(UTC))
        seen, stalls = entries[-1] if entries else seen, now


def _stalls(reader: JournalReader) -> Stalls:
    status = reader.document("status")
    body: Any = status.body if status is not None else {"stalls": []}
    return stalls_in(body)


def write_events(found: Sequence[Event], output: Format, *, follow: bool = False) -> None:
    """Write events; while they are followed, each as JSON in a line."""
    if output is Format.JSON and follow:
        for each in found:
            typer.echo(to_json(each))
    elif output is not Format.TABLE:
        write_data({"events": [dict(each) for each in found]}, output)
    else:
        for each in found:
            group = f" {each['group']}" if each["group"] else ""
            line = one_line(f"{each['at']}{group} {each['event']}: {each['text']}")
            say(line, "yellow" if each["level"] == "warning" else "")
