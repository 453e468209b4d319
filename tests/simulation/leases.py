"""The arithmetic of leases: one daemon acts at a time, epochs only rise, and who lost the lease begins nothing new."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.domain.journal import Entry, Kind
from reconciler.domain.step_key import StepKey


@dataclass(frozen=True)
class Taken:
    """An order that a host took: under which epoch, which one leads then, and how many entries the journal had."""

    host: str
    key: StepKey
    epoch: int
    leading: int
    at: int


def strayed(taken: Sequence[Taken], entries: Sequence[Entry]) -> Iterator[str]:
    """Yield what a daemon did that had no right to it."""
    yield from _falling(taken)
    yield from _ahead(taken)
    for each in taken:
        if each.epoch < each.leading:
            yield from _stale(each, entries)


def _falling(taken: Iterable[Taken]) -> Iterator[str]:
    """Find hosts that obeyed an older epoch than they knew."""
    newest: dict[str, int] = {}
    for each in taken:
        if each.epoch < newest.get(each.host, 0):
            yield f"{each.host} took {each.key} under epoch {each.epoch}, after {newest[each.host]}"
        newest[each.host] = max(newest.get(each.host, 0), each.epoch)


def _ahead(taken: Iterable[Taken]) -> Iterator[str]:
    """Find orders under an epoch that nobody held yet."""
    return (
        f"{each.key} was begun under epoch {each.epoch}, and {each.leading} led"
        for each in taken
        if each.epoch > each.leading
    )


def _stale(order: Taken, entries: Sequence[Entry]) -> Iterator[str]:
    """Judge an order that was under way when its daemon lost the lease, on a host that had not heard of the next one.

    It must be of an intent that its daemon wrote or found, and that nobody has settled: the next leader finds it there.
    """
    own = [each for each in entries[: order.at] if (each.run, each.step) == (order.key.run, order.key.step)]
    intents = [each for each in own if each.kind == Kind.INTENT and each.body["attempt"] == order.key.attempt]
    if not any(int(str(each.body["epoch"])) <= order.epoch for each in intents):
        yield f"{order.key} was begun under the old epoch {order.epoch}, and its intent is not of that daemon's time"
    if any(each.kind == Kind.RESULT and each.body["attempt"] == order.key.attempt for each in own):
        yield f"{order.key} was begun under the old epoch {order.epoch}, after {order.leading} had settled it"
