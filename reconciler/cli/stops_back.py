"""How `rollback` tells of the releases that a commit may name as the goal, and of what each costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.cli.words import lasting, sized
from reconciler.planning.stops_back import StopBack

COLUMNS = ("service", "goal", "back to", "of", "size", "walk again", "lost")


def rows_of(stops: Sequence[StopBack]) -> Iterator[Sequence[str]]:
    """Yield a line for each release that can be gone back to."""
    for each in stops:
        kind = "a savepoint" if each.savepoint else "where the leg began"
        made = f"{each.made_at:%Y-%m-%d %H:%M} UTC" if each.made_at else "-"
        yield each.service, each.release, kind, made, _size(each), _again(each), _lost(each)


def to_json(stops: Sequence[StopBack]) -> list[dict[str, Any]]:
    """Render them as the contract has them."""
    return [
        {
            "service": each.service,
            "release": each.release,
            "savepoint": each.savepoint,
            "made_at": each.made_at.isoformat() if each.made_at else "",
            "bytes": each.bytes,
            "hops_again": each.hops,
            "measured_s": each.again_s,
            "sealed_at": each.sealed_at.isoformat() if each.sealed_at else "",
        }
        for each in stops
    ]


def _size(stop: StopBack) -> str:
    return "-" if stop.bytes is None else sized(stop.bytes)


def _again(stop: StopBack) -> str:
    hops = f"{stop.hops} hop{'s' if stop.hops != 1 else ''}"
    return hops if stop.again_s is None else f"{hops}, {lasting(stop.again_s)}"


def _lost(stop: StopBack) -> str:
    if stop.sealed_at is None:
        return "nothing: it has not served since"
    return f"what was written since {stop.sealed_at:%Y-%m-%d %H:%M} UTC, if `accept` says data-loss:{stop.service}"
