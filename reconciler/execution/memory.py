"""What a daemon keeps between passes. All of it can be found again: losing it costs time, nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from reconciler.domain.age import is_older
from reconciler.domain.catalog import Catalog
from reconciler.domain.chain import START, Place
from reconciler.domain.desired import Desired
from reconciler.domain.journal import Draft, Entry
from reconciler.domain.observation import Known, Observations
from reconciler.domain.plan import Block
from reconciler.domain.position import Position
from reconciler.domain.revision import Revision, SourceState
from reconciler.domain.run import History
from reconciler.domain.segment import Keep
from reconciler.execution.defects import placed
from reconciler.execution.executor import Executor
from reconciler.execution.exposure import look_at_exposures
from reconciler.execution.forgetting import Forgetting
from reconciler.execution.look import look
from reconciler.execution.metrics import look_at_alerts
from reconciler.execution.secrets import learn
from reconciler.planning.checkpoint import cut
from reconciler.planning.history import fold
from reconciler.planning.position import position_of
from reconciler.planning.quarantine import ask_since
from reconciler.planning.unheard import newest
from reconciler.ports import Ports


@dataclass(frozen=True, slots=True)
class Read:
    """What a revision says: the desired state with the catalog it extends, or every problem with it."""

    commit: str
    desired: Desired | None
    catalog: Catalog | None
    problems: tuple[Block, ...] = ()


Reader = Callable[[Revision], Read]


NOT_ASKED = SourceState(None, "SourceUnreachable", "not fetched yet")
"""What a daemon knows of its source before the first fetch has ended."""


@dataclass(slots=True)
class Memory:
    """The state of the loop: steps in hand, the newest sight of source and fleet, the journal as folded so far."""

    ports: Ports
    reader: Reader
    executor: Executor
    wake: Callable[[], None] = lambda: None
    sweep_s: float = 60.0
    source: SourceState = NOT_ASKED
    read: Read | None = None
    observations: Observations = field(default_factory=Observations)
    looked_at: datetime | None = None
    looked_for: str = ""
    history: History = field(default_factory=History)
    last: Entry | Place = START
    looking: asyncio.Task[None] | None = None
    forgetting: Forgetting = field(default_factory=Forgetting)
    keep: Keep = field(default_factory=Keep)
    weighed: int = 0

    def position_of(self, service: str, read: Read) -> Position:
        """Return where a service stands, by what was seen and what the journal tells now."""
        assert read.desired is not None
        assert read.catalog is not None
        desired, seen = read.desired, self.observations
        ask = partial(position_of, desired.services[service], desired, read.catalog, seen, self.history)
        return placed(service, ask)

    def remember(self) -> History:
        """Fold what the journal holds that was not folded yet."""
        entries = self.ports.journal.read(self.last)
        self.history = fold(entries, self.history)
        self.last = entries[-1] if entries else self.last
        return self.history

    def write(self, drafts: tuple[Draft, ...]) -> History:
        """Write entries and fold them."""
        if drafts:
            self.ports.journal.append(drafts)
        return self.remember()

    def seal(self) -> Entry | None:
        """Seal what is no longer needed of the journal, if that is enough to be worth it; weighed once after each run.

        Raises JournalError; the journal is then as it was, or sealed.
        """
        ended = self._ended()
        if ended == self.weighed or ended < self.keep.at_once or not (self.read and self.read.desired):
            return None
        self.weighed = ended
        history, entries = self.remember(), self.ports.journal.read()
        found = cut(entries, history, self.keep, self.read.desired.hosts, self.ports.clock.now())
        sealed = self.ports.journal.seal(found) if found else None
        self.remember()
        self.weighed = self._ended()
        return sealed

    def _ended(self) -> int:
        return sum(1 for run in self.history.runs if run.ended)

    def look_if_old(self, read: Read) -> None:
        """Begin a sweep of the fleet in the background when the newest one is too old for what happened since.

        Raises what a sweep failed with: that is a defect, for what hosts say is a value.
        """
        if self.looking is not None:
            if not self.looking.done():
                return
            ended, self.looking = self.looking, None
            ended.result()
        if self.looked_at is None or self.looked_for != read.commit or self._behind(read) or self._expired():
            self.looking = asyncio.create_task(self._look(read))
            self.looking.add_done_callback(lambda _: self.wake())

    async def _look(self, read: Read) -> None:
        assert read.desired is not None
        assert read.catalog is not None
        began, after = self.ports.clock.now(), self.last.seq
        learn(read.desired, self.ports)
        seen, exposures, alerts = await asyncio.gather(
            look(read.desired, self.ports),
            look_at_exposures(read.desired, read.catalog, self.ports),
            look_at_alerts(read.desired, self.ports),
        )
        hosts = read.desired.hosts
        known = [hosts[name] for name, report in seen.hosts.items() if isinstance(report, Known)]
        found = await self.forgetting.ask(known, self.history, self.ports)
        runs = {**self.observations.runs, **{name: newest(each) for name, each in found.items()}}
        self.observations = replace(seen, exposures=exposures, alerts=alerts, runs=runs, after=after)
        self.looked_at, self.looked_for = began, read.commit
        await self.forgetting.forget(found, hosts, self.history, self.ports)

    def _behind(self, read: Read) -> bool:
        """Tell whether since the newest sweep a run came to where the fleet must be seen, or hosts in quarantine."""
        asked = ask_since(read.desired, self.history) if read.desired else ()
        return max((*asked, *(run.look_after for run in self.history.runs)), default=0) > self.observations.after

    def _expired(self) -> bool:
        now, limit = self.ports.clock.now(), timedelta(seconds=self.sweep_s)
        return self.looked_at is not None and is_older(self.looked_at, limit, now)

    def fresh_for(self, group: str, commit: str) -> bool:
        """Tell whether the fleet was seen since the group's last run began, moved all or ended, under this revision."""
        if self.looked_at is None or self.looked_for != commit:
            return False
        runs = (run for run in self.history.runs if run.group == group)
        return max((run.look_after or run.began_with for run in runs), default=0) <= self.observations.after

    def groups_of_runs(self) -> dict[str, str]:
        """Map every run to its group."""
        return {run.id: run.group for run in self.history.runs}

    async def stop(self) -> None:
        """Let go of everything in the background."""
        await self.executor.stop()
        if self.looking is not None:
            self.looking.cancel()
            await asyncio.gather(self.looking, return_exceptions=True)
