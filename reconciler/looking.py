"""Looks at fleet and source without a daemon, as the command line asks: nothing is written, nothing is started."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from reconciler.adapters import sudo
from reconciler.adapters.hosts import SshHosts
from reconciler.app import make_ports, make_source, read_revision, ssh_settings
from reconciler.catalog import load_catalog
from reconciler.domain.chain import START, Place
from reconciler.domain.desired import Desired, Host
from reconciler.domain.journal import Command, Draft, Entry
from reconciler.domain.observation import Observations
from reconciler.domain.reasons import Reason
from reconciler.domain.revision import SourceState
from reconciler.domain.segment import Cut
from reconciler.errors import JournalError
from reconciler.execution.exposure import look_at_exposures
from reconciler.execution.look import look
from reconciler.ports import Question, Unreachable
from reconciler.settings import Settings


class NoJournal:
    """Stands where nothing may be written: looking needs no journal."""

    epoch = 0

    def read(self, after: Entry | Place = START) -> Sequence[Entry]:
        """Return nothing."""
        del after
        return ()

    def seal(self, cut: Cut) -> None:
        """Refuse."""
        del cut
        self._refuse()

    def append(self, drafts: Sequence[Draft]) -> Sequence[Entry]:
        """Refuse."""
        del drafts
        self._refuse()

    def commands(self) -> Sequence[Command]:
        """Return nothing."""
        return ()

    def answer(self, command: Command, drafts: Sequence[Draft], text: str) -> Sequence[Entry]:
        """Refuse."""
        del command, drafts, text
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise JournalError("this process only looks", reason=str(Reason.JOURNAL_UNWRITABLE))


async def observe(settings: Settings, desired: Desired, hosts: Iterable[str] | None = None) -> Observations:
    """Look at the fleet once: all hosts or those named, and every database."""
    ports = make_ports(settings, NoJournal())
    try:
        seen = await look(desired, ports, hosts)
        exposures = await look_at_exposures(desired, load_catalog(desired.catalog), ports)
        return replace(seen, exposures=exposures)
    finally:
        await ports.hosts.close()


async def accepted_state(settings: Settings, commit: str) -> Desired | None:
    """Return the desired state of a commit that the daemon has fetched; None when it is not here."""
    revision = await make_source(settings).revision(commit)
    return read_revision(revision).desired if revision is not None else None


async def newest_state(settings: Settings) -> Desired | str:
    """Fetch, and return the desired state of the newest commit, or why there is none to be had."""
    state = await make_source(settings).latest("")
    if state.revision is None:
        return state.text
    read = read_revision(state.revision)
    return read.desired or "\n".join(block.text for block in read.problems)


async def greet(settings: Settings, hosts: Sequence[Host]) -> dict[str, Unreachable | str]:
    """Enter every host; those that answered say what their sudo grants beyond what is needed, mostly nothing."""
    world = SshHosts(ssh_settings(settings))
    try:
        answers = await asyncio.gather(*(_greet(world, host) for host in hosts))
    finally:
        await world.close()
    return {host.name: answer for host, answer in zip(hosts, answers, strict=True)}


async def _greet(world: SshHosts, host: Host) -> Unreachable | str:
    by_sudo = host.login.become == "sudo"
    question = sudo.question(host) if by_sudo else Question("greeting", "echo here")
    answers = await world.look(host, [question])
    if isinstance(answers, Unreachable):
        return answers
    return sudo.judge(host, answers.get(question.key)) if by_sudo else ""


async def reach_source(settings: Settings, folder: Path) -> SourceState:
    """Fetch the desired-state repository into a folder of its own, beside a daemon that may be fetching too."""
    apart = settings.model_copy(update={"source": settings.source.model_copy(update={"mirror": folder})})
    return await make_source(apart).latest("")
