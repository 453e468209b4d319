"""`reconciler history`: the journal, entry by entry, with its proof."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from reconciler.cli import world
from reconciler.cli.output import Config, Format, Output, add_row, note, print_lines, say, table, write_data
from reconciler.domain.journal import Entry, Kind

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
    """
    with world.opened(world.settings_from(config)) as reader:
        entries = reader.read()
    chosen = [entry for entry in entries if not service or entry.group == service]
    chosen = chosen[-number:] if number else chosen
    head = entries[-1].hash if entries else ""
    if output is not Format.TABLE:
        write_data({"verified": True, "total": len(entries), "head": head, "entries": to_json(chosen)}, output)
        return
    rows = table("#", "when", "what", "group", "step", "text")
    for entry in chosen:
        bad = entry.kind == Kind.HALT_RAISED or entry.body.get("outcome") in BAD
        when = entry.at.isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
        add_row(rows, (entry.seq, when, entry.kind, entry.group, entry.step, words(entry)), "red" if bad else "")
    print_lines(rows)
    if verify:
        say(f"{len(entries)} entries, the chain of hashes is whole; the newest is {head or 'none'}")
    elif len(chosen) < len(entries):
        note(f"{len(chosen)} of {len(entries)} entries; -n 0 shows all")


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
        case Kind.PLAN_PINNED:
            return _plan(body["plan"])
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


def _plan(plan: Any) -> str:  # noqa: ANN401 - a plan as JSON
    ways = (f"{each['service']} {' → '.join(each['route'])}" for each in plan["services"])
    what = "rehearsal" if plan["direction"] == "rehearse" else ", ".join(ways)
    return f"plan {plan['id']}: {what}, {len(plan['steps'])} steps"
