"""Lets hosts forget the steps of old runs; what is needed to go back lies elsewhere."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from reconciler.domain.desired import Host
from reconciler.domain.run import History
from reconciler.planning.retention import forgettable
from reconciler.ports import Ports, Question, Unreachable

AT_ONCE = 50
"""How many runs a host is told at a time; the next sweep goes on."""

KEY = "steps"
SCRIPT = 'ls -1 "$1/steps" 2>/dev/null | head -n 1000; :'


@dataclass(slots=True)
class Forgetting:
    """Which hosts have nothing left to forget, and of how many ended runs that was said."""

    tidy: dict[str, int] = field(default_factory=dict)

    async def forget(self, hosts: Iterable[Host], history: History, ports: Ports) -> None:
        """Ask hosts that were not asked since a run ended for the runs they know, and tell them which to forget.

        They are asked, for one that was away for long knows runs that the journal has sealed since.
        """
        ended = history.sealed + sum(1 for run in history.runs if run.ended)
        asked = [host for host in hosts if self.tidy.get(host.name) != ended]
        with suppress(OSError):  # of the daemon's own machine; the next sweep is the next occasion
            await asyncio.gather(*(self._of(host, ended, history, ports) for host in asked))

    async def _of(self, host: Host, ended: int, history: History, ports: Ports) -> None:
        answers = await ports.hosts.look(host, [Question(KEY, SCRIPT, (host.state_dir,))])
        if isinstance(answers, Unreachable) or KEY not in answers:
            return
        lines = answers[KEY].output.decode(errors="replace").splitlines()
        old = forgettable([name for name in lines if re.fullmatch(r"[A-Za-z0-9._@+-]+", name)], history)
        if old:
            await ports.hosts.forget(host, old[:AT_ONCE])
        if len(old) <= AT_ONCE:
            self.tidy[host.name] = ended
