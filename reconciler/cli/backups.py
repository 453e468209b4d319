"""`reconciler backups`: the backup sets that the journal knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from reconciler.cli import world
from reconciler.cli.output import Config, Format, Output, add_row, note, print_lines, table, write_data
from reconciler.cli.words import lasting, sized
from reconciler.domain.backup import BackupSet, Copy, Need
from reconciler.planning.history import fold
from reconciler.planning.kept import kept_sets

COLUMNS = ("service", "run", "release", "kind", "trust", "age", "size", "way back of", "place")


def backups(
    service: str = typer.Argument("", metavar="[SERVICE]", help="Only the sets of this service."),
    output: Format = Output,
    config: Path | None = Config,
) -> None:
    """List backup sets.

    What each run kept of each service before it changed anything: dumps, database nodes that are held back, deployments
    that were replaced. A set that is the way back of a leg is never removed.
    """
    with world.opened(world.settings_from(config)) as reader:
        found = kept_sets(fold(reader.read()))
    chosen = [each for each in found if service in {"", each.service}]
    if output is not Format.TABLE:
        write_data({"sets": to_json(chosen)}, output)
        return
    if not chosen:
        note("the journal knows no backup set")
        return
    rows = table(*COLUMNS)
    for cells in rows_of(chosen, datetime.now(UTC)):
        add_row(rows, cells)
    print_lines(rows)


def rows_of(sets: Sequence[BackupSet], now: datetime) -> Iterator[Sequence[str]]:
    """Yield a line for each database of each set; what holds for the whole set stands in its first line only."""
    for each in sets:
        state = "removed" if each.removed_at else str(each.need)
        age = lasting((now - each.made_at).total_seconds())
        head = (each.service, each.run, each.release, str(each.kind), _trust(each.trust), age)
        for number, copy in enumerate(each.copies):
            first = head if number == 0 else ("",) * len(head)
            yield *first, _size(copy), state if number == 0 else "", _place(copy)


def to_json(sets: Sequence[BackupSet]) -> list[dict[str, Any]]:
    """Render sets as the contract has them."""
    return [
        {
            "service": each.service,
            "run": each.run,
            "release": each.release,
            "kind": str(each.kind),
            "trust": str(each.trust or ""),
            "made_at": each.made_at.isoformat(),
            "bytes": each.bytes,
            "needed_by": str(Need.NONE if each.removed_at else each.need),
            "removed_at": each.removed_at.isoformat() if each.removed_at else "",
            "copies": [_copy(copy) for copy in each.copies],
        }
        for each in sets
    ]


def _copy(copy: Copy) -> dict[str, Any]:
    return {
        "host": copy.host,
        "database": copy.database,
        "path": copy.path,
        "absent": copy.absent,
        "bytes": copy.bytes,
        "trust": str(copy.trust or ""),
        "sha256": copy.sha256,
        "manifest": copy.manifest,
    }


def _trust(trust: object) -> str:
    return str(trust).replace("_", " ") if trust else "-"


def _size(copy: Copy) -> str:
    return "-" if copy.bytes is None else sized(copy.bytes)


def _place(copy: Copy) -> str:
    if copy.absent:
        return f"{copy.database}: there was none"
    return f"{copy.host}:{copy.path}" if copy.path else copy.host
