"""A DNS server in memory: implements `ports.Dns`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from reconciler.domain.dns import DnsRecords
from reconciler.domain.effect import UpdateDns
from reconciler.domain.observation import Absent, Known, Observed, Unknown
from reconciler.domain.outcome import Sample
from reconciler.domain.reasons import Reason
from tests.fakes.told import Told


@dataclass
class MemoryDns:
    """`records` by name and type; `keys` may change them, by name. It is `away`, or has the word on `zones` only.

    `told` is how it tells of a change; where late, nobody can tell from its first answer after it.
    """

    zones: set[str] = field(default_factory=lambda: {"example.org."})
    keys: dict[str, str] = field(default_factory=dict)
    records: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    away: bool = False
    told: Told = Told.TRULY
    changes: int = field(default=0, init=False)
    reloading: bool = field(default=False, init=False)

    async def update(self, change: UpdateDns, key: str | None) -> Sample:
        if self.away:
            return Sample(None, "no answer: away")
        if key is None or self.keys.get(change.key_name) != key or change.records.zone not in self.zones:
            return Sample(False, "the server answers REFUSED")
        place = (change.records.name, change.records.type)
        if self.records.get(place, ()) != tuple(sorted(change.was)):
            return Sample(False, f"{change.records} is not {', '.join(change.was) or 'absent'} as expected")
        self.records[place] = tuple(sorted(change.values))
        self.changes += 1
        self.reloading = self.told is Told.LATE
        said = {Told.AS_FAILED: (False, "the server answers SERVFAIL"), Told.AS_UNKNOWN: (None, "no answer: timed out")}
        return Sample(*said.get(self.told, (True, f"{change.records} changed")))

    async def values(self, records: DnsRecords) -> Observed[tuple[str, ...]]:
        at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        if self.reloading:
            self.reloading = False
            return Unknown(Reason.STEP_LOST, f"{records} on {records.server}: no answer", at)
        if self.away or records.zone not in self.zones:
            return Unknown(Reason.STEP_LOST, f"{records} on {records.server}: no answer", at)
        found = self.records.get((records.name, records.type))
        return Known(found, at) if found else Absent(at)
