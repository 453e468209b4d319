"""Which entries stay in the journal when a segment is sealed, and what the others came to. Pure.

Folding what stays, and then the checkpoint, gives what folding everything gives.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.domain.chain import Place
from reconciler.domain.journal import Entry, Kind
from reconciler.domain.plan import Json
from reconciler.domain.rehearsal import group_of
from reconciler.domain.run import History
from reconciler.domain.segment import Cut, Keep
from reconciler.planning.sealing import may_go
from reconciler.planning.sums import sums_of, sums_to_json


def cut(entries: Sequence[Entry], history: History, keep: Keep, hosts: Collection[str], now: datetime) -> Cut | None:
    """Return what sealing would do to these entries, which fold to `history`; None while it is not worth it."""
    gone = may_go(history, keep, hosts, now)
    if not entries or len(gone) < keep.at_once:
        return None
    sealed: list[Json] = [*sorted(gone)]
    body: dict[str, Json] = {
        "runs": sealed,
        "begun": history.begun,
        "halts": history.halts_raised,
        "sums": dict(sums_to_json(sums_of(history, only=[run for run in history.runs if run.id in gone]))),
    }
    kept = frozenset(entry.seq for entry in staying(entries, history, gone))
    return Cut(upto=Place(entries[-1].seq, entries[-1].hash), kept=kept, body=body)


def staying(entries: Iterable[Entry], history: History, gone: frozenset[str]) -> Iterator[Entry]:
    """Yield the entries that stay when these runs go: those of other runs, and those that are still in force."""
    entries = tuple(entries)
    stay = {run.id for run in history.runs} - gone
    halts = {str(e.body["id"]) for e in entries if e.kind == Kind.HALT_RAISED and (e.run in stay or _lasts(e, history))}
    standing = _Standing.after(entries)
    fresh: set[str] = set()  # the groups of which something stays since their last retry
    for entry in entries:
        of_halt = entry.kind in {Kind.HALT_RAISED, Kind.HALT_CLEARED} and str(entry.body["id"]) in halts
        of_run = entry.run in stay and entry.kind != Kind.HALT_CLEARED
        retried = entry.kind == Kind.HOLD_RELEASED and entry.group in fresh
        if retried:
            fresh.discard(entry.group)
        elif of_halt or of_run:
            fresh.add(entry.group)
        if of_halt or of_run or retried or entry.seq in standing.seqs:
            yield entry


def _lasts(entry: Entry, history: History) -> bool:
    """Tell whether a halt is open, or what it holds is held."""
    body = entry.body
    return (entry.group, body["inputs"]) in history.holds or any(halt.id == body["id"] for halt in history.halts)


@dataclass(slots=True)
class _Standing:
    """The entries of no run that are in force: commits, suspensions, wishes for rehearsals."""

    commits: dict[str, int] = field(default_factory=dict)
    suspended: dict[str, int] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)

    @classmethod
    def after(cls, entries: Iterable[Entry]) -> _Standing:
        """Go through all entries."""
        standing = cls()
        for entry in entries:
            standing.hear(entry)
        return standing

    @property
    def seqs(self) -> frozenset[int]:
        """Return the numbers of those entries."""
        return frozenset((*self.commits.values(), *self.suspended.values(), *self.asked.values()))

    def hear(self, entry: Entry) -> None:
        """Let an entry come into force, and end what it ends."""
        match entry.kind:
            case Kind.REVISION_ACCEPTED | Kind.HISTORY_ACCEPTED:
                self._accept(entry)
            case Kind.REVISION_REFUSED:
                self.commits["refused"] = entry.seq
            case Kind.SUSPENDED:
                self.suspended.pop(entry.group, None)
                self.suspended[entry.group] = entry.seq
            case Kind.RESUMED:
                self.suspended = {g: seq for g, seq in self.suspended.items() if entry.group not in {"", g}}
            case Kind.REHEARSAL_ASKED:
                self.asked.setdefault(str(entry.body["service"]), entry.seq)
            case Kind.REHEARSAL_REFUSED:
                self.asked.pop(str(entry.body["service"]), None)
            case Kind.PLAN_PINNED:
                self.asked = {name: seq for name, seq in self.asked.items() if group_of(name) != entry.group}

    def _accept(self, entry: Entry) -> None:
        self.commits["accepted"] = entry.seq
        if entry.kind == Kind.REVISION_ACCEPTED:
            self.commits["read"] = entry.seq
        if entry.kind == Kind.HISTORY_ACCEPTED or entry.body.get("signed_by"):
            self.commits["trusted"] = entry.seq
