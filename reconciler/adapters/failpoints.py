"""Ends or stops the daemon at a named boundary, so that what comes after can be tested; does nothing unless armed.

`RECONCILER_FAILPOINT=NAME[:COUNT[:ACTION]]` in the environment arms one: when NAME is reached for the COUNTth time (1),
the process is killed, or with ACTION `stop` stopped as by SIGSTOP; with `eio` or `enospc` the operating system reports
that error there: before it was done, or after, though it was. `trace:FILE` writes down every name that is reached.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from reconciler.adapters.store.engine import of_the_disk
from reconciler.domain.chain import START, Place
from reconciler.domain.desired import Host
from reconciler.domain.journal import Command, Draft, Entry, Kind
from reconciler.domain.reasons import Reason
from reconciler.domain.revision import Revision, SourceState
from reconciler.domain.segment import Cut
from reconciler.domain.step_key import StepKey
from reconciler.errors import SettingsError
from reconciler.ports import Answer, Hosts, HostStep, Journal, Order, Ports, Question, Source, Unreachable

VARIABLE = "RECONCILER_FAILPOINT"
SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
ERRORS = {"eio": errno.EIO, "enospc": errno.ENOSPC}

_ENTRIES = tuple(sorted(value for name, value in vars(Kind).items() if name.isupper()))
_CALLS = ("answer", "ask", "disarm", "fetch", "forget", "lease", "look", "start", "wait")
NAMES = tuple(f"{what}.{side}" for what in (*_ENTRIES, *_CALLS) for side in ("before", "after"))
"""Before and after an entry of the journal is durable, the lease is taken, the source or a host is asked."""


@dataclass(slots=True)
class Failpoint:
    """What shall happen where; none is armed by default."""

    name: str = ""
    count: int = 1
    action: str = "kill"
    trace: Path | None = None
    reached: int = field(default=0, init=False)

    def reach(self, name: str) -> None:
        """Say that the daemon is at a boundary."""
        assert name in NAMES, name
        if self.trace is not None:
            with self.trace.open("a") as file:
                file.write(f"{name}\n")
        if name == self.name:
            self.reached += 1
            if self.reached == self.count:
                self._act()

    def _act(self) -> None:
        if self.action in SIGNALS:
            os.kill(os.getpid(), SIGNALS[self.action])
            return
        number = ERRORS[self.action]
        raise OSError(number, os.strerror(number), self.name)

    def around(self, ports: Ports) -> Ports:
        """Return ports that reach the boundaries; the same ones where nothing is armed."""
        if not self.name and self.trace is None:
            return ports
        journal = _Journal(ports.journal, self)
        return replace(ports, journal=journal, hosts=_Hosts(ports.hosts, self), source=_Source(ports.source, self))


def armed(environ: Mapping[str, str]) -> Failpoint:
    """Read what the environment arms; raises SettingsError for a boundary that is not there."""
    text = environ.get(VARIABLE, "")
    name, _, rest = text.partition(":")
    if name == "trace":
        return Failpoint(trace=Path(rest))
    count, _, action = rest.partition(":")
    count, action = count or "1", action or "kill"
    if not text:
        return Failpoint()
    if name not in NAMES or action not in {*SIGNALS, *ERRORS} or not count.isdecimal() or int(count) < 1:
        raise SettingsError(
            f"{VARIABLE}: there is no failpoint {text!r}",
            reason=str(Reason.SETTINGS_INVALID),
            hint=f"It is for tests; write NAME[:COUNT[:kill|stop|eio|enospc]], NAME one of {', '.join(NAMES)}.",
        )
    return Failpoint(name, int(count), action)


class _Journal:
    """A journal whose writes are boundaries, one for each kind of entry."""

    def __init__(self, journal: Journal, failpoint: Failpoint) -> None:
        self._journal, self._failpoint = journal, failpoint

    @property
    def epoch(self) -> int:
        return self._journal.epoch

    def read(self, after: Entry | Place = START) -> Sequence[Entry]:
        return self._journal.read(after)

    def seal(self, cut: Cut) -> Entry | None:
        with _explained():
            self._failpoint.reach("segment_sealed.before")
            sealed = self._journal.seal(cut)
            self._failpoint.reach("segment_sealed.after")
        return sealed

    def commands(self) -> Sequence[Command]:
        return self._journal.commands()

    def append(self, drafts: Sequence[Draft]) -> Sequence[Entry]:
        with _explained():
            self._reach(drafts, "before")
            entries = self._journal.append(drafts)
            self._reach(drafts, "after")
        return entries

    def answer(self, command: Command, drafts: Sequence[Draft], text: str) -> Sequence[Entry]:
        with _explained():
            self._failpoint.reach("answer.before")
            self._reach(drafts, "before")
            entries = self._journal.answer(command, drafts, text)
            self._reach(drafts, "after")
            self._failpoint.reach("answer.after")
        return entries

    def _reach(self, drafts: Sequence[Draft], side: str) -> None:
        for kind in dict.fromkeys(draft.kind for draft in drafts):
            self._failpoint.reach(f"{kind}.{side}")


@contextmanager
def _explained() -> Iterator[None]:
    """Let an error be what the store makes of it: nothing else may leave a journal."""
    try:
        yield
    except OSError as error:
        raise of_the_disk("the journal", error) from error


class _Hosts:
    """Hosts whose every question and order is a boundary."""

    def __init__(self, hosts: Hosts, failpoint: Failpoint) -> None:
        self._hosts, self._failpoint = hosts, failpoint

    async def look(self, host: Host, questions: Sequence[Question]) -> Mapping[str, Answer] | Unreachable:
        self._failpoint.reach("look.before")
        answers = await self._hosts.look(host, questions)
        self._failpoint.reach("look.after")
        return answers

    async def start(self, host: Host, order: Order) -> HostStep | Unreachable:
        self._failpoint.reach("start.before")
        step = await self._hosts.start(host, order)
        self._failpoint.reach("start.after")
        return step

    async def ask(self, host: Host, keys: Sequence[StepKey]) -> Mapping[StepKey, HostStep] | Unreachable:
        self._failpoint.reach("ask.before")
        steps = await self._hosts.ask(host, keys)
        self._failpoint.reach("ask.after")
        return steps

    async def wait(self, host: Host, key: StepKey) -> None:
        self._failpoint.reach("wait.before")
        await self._hosts.wait(host, key)
        self._failpoint.reach("wait.after")

    async def disarm(self, host: Host, key: StepKey, epoch: int) -> HostStep | Unreachable:
        self._failpoint.reach("disarm.before")
        step = await self._hosts.disarm(host, key, epoch)
        self._failpoint.reach("disarm.after")
        return step

    async def forget(self, host: Host, runs: Sequence[str]) -> None:
        self._failpoint.reach("forget.before")
        await self._hosts.forget(host, runs)
        self._failpoint.reach("forget.after")

    async def close(self) -> None:
        await self._hosts.close()


class _Source:
    """A source whose fetches are boundaries."""

    def __init__(self, source: Source, failpoint: Failpoint) -> None:
        self._source, self._failpoint = source, failpoint

    async def latest(self, accepted: str, trusted: str = "") -> SourceState:
        self._failpoint.reach("fetch.before")
        state = await self._source.latest(accepted, trusted)
        self._failpoint.reach("fetch.after")
        return state

    async def revision(self, commit: str) -> Revision | None:
        return await self._source.revision(commit)
