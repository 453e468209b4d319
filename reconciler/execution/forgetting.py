"""Lets hosts forget the steps of old runs; what is needed to go back lies elsewhere."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from reconciler.domain.desired import Host
from reconciler.domain.run import History
from reconciler.planning.retention import forgettable
from reconciler.ports import Ports, Question, Unreachable

RunsByHost = Mapping[str, Sequence[str]]

AT_ONCE = 50
"""How many runs a host is told at a time; the next sweep goes on."""

KEY = "steps"
SCRIPT = 'ls -1 "$1/steps" 2>/dev/null | head -n 1000; :'


@dataclass(slots=True)
class Forgetting:
    """Which hosts have nothing left to forget, and of how many ended runs that was said."""

    tidy: dict[str, int] = field(default_factory=dict)

    async def ask(self, hosts: Iterable[Host], history: History, ports: Ports) -> RunsByHost:
        """Ask hosts that were not asked since a run ended for the runs they know.

        They are asked, for one that was away for long knows runs that the journal has sealed since, and all know of
        those that a journal of yesterday has never heard of.
        """
        ended = _ended(history)
        asked = [host for host in hosts if self.tidy.get(host.name) != ended]
        with suppress(OSError):  # of the daemon's own machine; the next sweep is the next occasion
            found = await asyncio.gather(*(_runs(host, ports) for host in asked))
            return {host.name: runs for host, runs in zip(asked, found, strict=True) if runs is not None}
        return {}

    async def forget(self, known: RunsByHost, hosts: Mapping[str, Host], history: History, ports: Ports) -> None:
        """Tell hosts which of the runs that they know to forget."""
        with suppress(OSError):
            await asyncio.gather(*(self._of(hosts[name], runs, history, ports) for name, runs in known.items()))

    async def _of(self, host: Host, runs: Sequence[str], history: History, ports: Ports) -> None:
        old = forgettable(runs, history)
        if old:
            await ports.hosts.forget(host, old[:AT_ONCE])
        if len(old) <= AT_ONCE:
            self.tidy[host.name] = _ended(history)


def _ended(history: History) -> int:
    return history.sealed + sum(1 for run in history.runs if run.ended)


async def _runs(host: Host, ports: Ports) -> Sequence[str] | None:
    answers = await ports.hosts.look(host, [Question(KEY, SCRIPT, (host.state_dir,))])
    if isinstance(answers, Unreachable) or KEY not in answers:
        return None
    lines = answers[KEY].output.decode(errors="replace").splitlines()
    return [name for name in lines if re.fullmatch(r"[A-Za-z0-9._@+-]+", name)]
