"""`reconciler history`: the journal, entry by entry, with its proof."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from reconciler.cli import world
from reconciler.cli.output import Config, Format, Output, add_row, note, print_lines, say, table, write_data
from reconciler.domain.journal import Entry, Kind
from reconciler.domain.segment import Segment, newest_checkpoint, segments_of

BAD = {"failed", "lost"}


def history(
    number: int = typer.Option(50, "--number", "-n", min=0, help="How many of the newest entries; 0 means all."),
    verify: bool = typer.Option(False, "--verify", help="Check the whole chain of hashes and say so."),
    service: str = typer.Option("", help="Only entries of this group."),
    output: Format = Output,
    config: Path | None = Config,
) -> None:
    """Show the journal.

    Who wanted what, what was tried, how it ended. Its chain of hashes is checked in any case; exit 1 when it is broken.
    What was sealed is read from the archives beside the store, where it is asked for; --verify checks them all.
    """
    with world.opened(world.settings_from(config)) as reader:
        entries = reader.read()
        chosen = _newest(_open(entries), service, number)
        gone: Sequence[Segment] = ()
        if verify or not number or len(chosen) < number:
            everything, gone = reader.everything()
            chosen = _newest(everything, service, number)
    total, head = (entries[-1].seq, entries[-1].hash) if entries else (0, "")
    if output is not Format.TABLE:
        write_data({"verified": True, "total": total, "head": head, "entries": to_json(chosen)}, output)
        return
    rows = table("#", "when", "what", "group", "step", "text")
    for entry in chosen:
        bad = entry.kind == Kind.HALT_RAISED or entry.body.get("outcome") in BAD
        when = entry.at.isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
        add_row(rows, (entry.seq, when, entry.kind, entry.group, entry.step, words(entry)), "red" if bad else "")
    print_lines(rows)
    for each in gone:
        why = f"its archive {each.file} is not here" if each.file else "policy kept no archive"
        note(f"entries {each.first} to {each.last}, up to {each.until[:10]}, are not shown: {why}")
    if verify:
        say(f"{total} entries, the chain of hashes is whole; the newest is {head or 'none'}")
        raise typer.Exit(1 if any(each.file for each in gone) else 0)
    if len(chosen) < total:
        note(f"{len(chosen)} of {total} entries; -n 0 shows all")


def _open(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return the entries since the newest checkpoint: those of which none is missing."""
    newest = newest_checkpoint(entries)
    return [entry for entry in entries if newest is None or entry.seq >= newest.seq]


def _newest(entries: Sequence[Entry], service: str, number: int) -> Sequence[Entry]:
    chosen = [entry for entry in entries if not service or entry.group == service]
    return chosen[-number:] if number else chosen


def to_json(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Render entries as they stand in the store."""
    return [
        {
            "seq": entry.seq,
            "at": entry.at.isoformat(),
            "kind": entry.kind,
            "group": entry.group,
            "run": entry.run,
            "step": entry.step,
            "body": dict(entry.body),
            "prev": entry.prev,
            "hash": entry.hash,
        }
        for entry in entries
    ]


def words(entry: Entry) -> str:
    """Word an entry in one line."""
    body = entry.body
    match entry.kind:
        case Kind.REVISION_ACCEPTED | Kind.REVISION_REFUSED | Kind.HISTORY_ACCEPTED:
            title = str(body.get("message") or "").partition("\n")[0]
            said = [str(body.get("author") or body.get("by") or ""), title or str(body.get("text") or "")]
            return " ".join([str(body["revision"])[:12], *filter(None, said)])
        case Kind.PLAN_PINNED | Kind.SEGMENT_SEALED:
            return _plan(body["plan"]) if entry.kind == Kind.PLAN_PINNED else _seal(entry)
        case Kind.INTENT:
            return f"attempt {body['attempt']}"
        case Kind.RESULT:
            return " ".join(
                filter(None, [str(body["outcome"]), str(body.get("reason", "")), str(body.get("text", ""))])
            )
        case Kind.HALT_RAISED:
            return f"{body['id']} {body['reason']}: {body['text']}"
        case _:
            shown = (f"{key} {value}" for key, value in body.items() if isinstance(value, str | int) and value != "")
            return ", ".join(shown)


def _seal(entry: Entry) -> str:
    last = segments_of(entry)[-1]
    runs: Any = entry.body["runs"]
    where = f"to {last.file}" if last.file else "and dropped"
    return f"entries {last.first} to {last.last} sealed {where}: {len(runs)} runs, since {last.since[:10]}"


def _plan(plan: Any) -> str:  # noqa: ANN401 - a plan as JSON
    ways = (f"{each['service']} {' → '.join(each['route'])}" for each in plan["services"])
    what = "rehearsal" if plan["direction"] == "rehearse" else ", ".join(ways)
    return f"plan {plan['id']}: {what}, {len(plan['steps'])} steps"
