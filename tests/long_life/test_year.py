"""A year of a small fleet in virtual time: what the daemon keeps, in memory, store and on hosts, stays bounded."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from reconciler.adapters.journal import SqlJournal
from reconciler.domain.backup import BackupPolicy
from reconciler.domain.desired import ConfigFile, Desired
from reconciler.domain.journal import Kind
from reconciler.domain.outcome import Exited
from reconciler.domain.segment import Keep, segments_of
from reconciler.domain.step_key import StepKey
from reconciler.domain.verdict import State
from reconciler.execution.executor import Executor
from reconciler.execution.memory import Memory
from reconciler.planning.history import fold
from reconciler.planning.kept import kept_sets
from reconciler.planning.retention import KEPT_RUNS
from tests.scenarios.stage import Stage
from tests.support.sample import desired

KEEP = Keep(runs=15, days=10)
DAY_S = 86_400.0
DAYS = 365


@dataclass
class Most:
    """The most there ever was of anything."""

    runs: int = 0
    rows: int = 0
    sets: int = 0
    folders: int = 0
    ids: set[str] = field(default_factory=set)

    def see(self, stage: Stage) -> None:
        history = stage.memory.history
        self.runs = max(self.runs, len(history.runs))
        self.rows = max(self.rows, len(stage.store.lines))
        (site,) = stage.fleet.sites.values()
        self.sets = max(self.sets, len(site.backups))
        hosts = stage.fleet.hosts.hosts.values()
        self.folders = max([self.folders, *(len({key.run for key in machine.steps}) for machine in hosts)])
        self.ids |= {run.id for run in history.runs}


def wanted(day: int, release: str) -> Desired:
    """Return what git wants that day: another configuration, and another release every five days."""
    text = f"[DEFAULT]\nregion = {{region}}\n# {day}\n"
    config = {"*": (ConfigFile(path="/etc/keystone/keystone.conf", template=text),)}
    return replace(desired(release=release, config=config), backups={"keystone": BackupPolicy(keep=3)})


class OnDisk(Stage):
    """A stage whose journal is the real one."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder}/journal.sqlite"
        super().__init__()

    def start(self) -> None:
        self.journal = SqlJournal.acquire(self.url, self.clock)
        ports = self.ports()
        self.memory = Memory(ports, self.read, Executor(ports))

    async def kill(self) -> None:
        await super().kill()
        self.journal.close()


async def lived(days: int, most: Most, stage: Stage) -> Stage:
    """Live so many days: each has a commit; the daemon is restarted each month."""
    stage.memory.keep = KEEP
    for day in range(days):
        stage.commit(wanted(day, ("yoga", "2023.1")[day // 5 % 2]))
        await stage.until(State.IN_SYNC)
        stage.memory.seal()
        most.see(stage)
        if day % 30 == 29:
            before = stage.memory.remember()
            await stage.kill()
            stage.start()
            stage.memory.keep = KEEP
            assert stage.memory.remember() == before
        await stage.clock.advance(DAY_S)
    return stage


async def test_a_year_leaves_no_more_than_a_month():
    most = Most()
    stage = await lived(DAYS, most, Stage())
    history = stage.memory.history

    assert history.begun == len(most.ids) > 300
    assert most.runs <= KEEP.runs + KEEP.at_once + 10
    assert most.rows <= 2_500
    assert most.sets <= 4
    assert most.folders <= KEPT_RUNS + 1
    assert len([each for each in kept_sets(history) if each.removed_at is None]) <= 8
    last = [entry for entry in stage.journal.read() if entry.kind == Kind.SEGMENT_SEALED]
    assert len(segments_of(last[-1])) > 5

    for number in range(200):  # ks3 has folders of runs of long ago
        stage.fleet.hosts.hosts["ks3"].steps[StepKey(f"old-{number + 1}", "step", 1)] = Exited(0, "")
    stage.commit(wanted(DAYS, "2024.1"))
    await stage.until(State.IN_SYNC)
    for _ in range(5):
        await stage.clock.advance(3600.0)
        await stage.step()
    assert len({key.run for key in stage.fleet.hosts.hosts["ks3"].steps}) <= KEPT_RUNS + 1

    stage.commit(wanted(DAYS + 1, "yoga"))
    await stage.until(State.IN_SYNC)
    assert stage.fleet.data.release == "yoga"
    await stage.kill()


async def test_the_store_on_disk_is_whole_through_all_its_segments(tmp_path: Path):
    stage = await lived(45, Most(), OnDisk(tmp_path))
    entries, gone = stage.journal.everything()
    rows = stage.journal.read()

    assert [entry.seq for entry in entries] == [*range(1, rows[-1].seq + 1)]
    assert not gone
    assert len(rows) < len(entries)
    assert fold(entries) == fold(rows) == stage.memory.history
    await stage.kill()
