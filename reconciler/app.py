"""The composition root: settings become adapters, ports, memory and the daemon. The only file that joins them."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import signal
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import structlog

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.databases import SqlDatabases
from reconciler.adapters.dns import DnspythonDns
from reconciler.adapters.failpoints import armed
from reconciler.adapters.git import Follow, GitSource
from reconciler.adapters.git_mirror import GitAccess
from reconciler.adapters.git_signed import Signatures
from reconciler.adapters.hosts import SshHosts
from reconciler.adapters.http import HttpxHttp
from reconciler.adapters.journal import JournalReader, SqlJournal
from reconciler.adapters.log import configure
from reconciler.adapters.prometheus import PrometheusMetrics
from reconciler.adapters.redactor import Redactor
from reconciler.adapters.secrets import LocalSecrets
from reconciler.adapters.ssh import SshSettings
from reconciler.adapters.supervisor import Supervisor
from reconciler.catalog import load_catalog
from reconciler.daemon import Daemon
from reconciler.desired import Problem, Problems
from reconciler.domain.plan import Block
from reconciler.domain.reasons import TEXTS, Reason
from reconciler.domain.revision import Revision
from reconciler.domain.run import History
from reconciler.domain.segment import Keep
from reconciler.domain.signers import Unreadable, read_signers
from reconciler.domain.text import one_line
from reconciler.domain.verdict import Report
from reconciler.errors import SettingsError
from reconciler.execution.executor import Executor
from reconciler.execution.memory import Memory, Read
from reconciler.execution.read import read_files
from reconciler.planning.allowed import commands_refused
from reconciler.planning.history import strange, unknown_steps
from reconciler.ports import Journal, Ports
from reconciler.settings import Settings
from reconciler.web.board import Board, utc_now
from reconciler.web.pages import Pages
from reconciler.web.publish import STATUS, Publisher
from reconciler.web.server import Apart, Child, Serving

log = structlog.get_logger()

TOLD = 20
"""Problems of a commit that are told one by one; `reconciler validate` lists all."""

KILLED = 128
"""A process that a signal ended exits with this plus the signal's number."""


def read_revision(revision: Revision, allowed: Collection[str] | None = None) -> Read:
    """Read a commit; what is wrong with it comes back as problems, the first of them and how many more there are.

    `allowed` are the programs that its commands may run; None means any.
    """
    found = read_files(revision.files)
    if isinstance(found, Problems):
        told = [_block(problem) for problem in found.items[:TOLD]]
        return Read(revision.commit, None, None, (*told, *_more(found.items)))
    if refused := commands_refused(found, allowed):
        return Read(revision.commit, None, None, (*refused[:TOLD], *_more(refused)))
    return Read(revision.commit, found, load_catalog(found.catalog))


def _block(problem: Problem) -> Block:
    text = one_line(f"{problem.file}:{problem.line}:{problem.col}: {problem.what}")
    return Block(str(Reason.SOURCE_INVALID), text, problem.hint or TEXTS[Reason.SOURCE_INVALID][1])


def _more(problems: Sequence[object]) -> Iterator[Block]:
    if len(problems) > TOLD:
        hint = "Check the commit out; `reconciler validate --all` lists them."
        yield Block(str(Reason.SOURCE_INVALID), f"and {len(problems) - TOLD} more problems", hint)


# ---------------------------------------------------------------- adapters


def make_ports(settings: Settings, journal: Journal, redactor: Redactor | None = None) -> Ports:
    """Choose the adapters."""
    return Ports(
        hosts=SshHosts(ssh_settings(settings)),
        databases=SqlDatabases(),
        http=HttpxHttp(),
        dns=DnspythonDns(),
        metrics=PrometheusMetrics(SystemClock()),
        secrets=LocalSecrets(os.environ, redactor or Redactor()),
        source=make_source(settings),
        journal=journal,
        clock=SystemClock(),
    )


def make_source(settings: Settings) -> GitSource:
    """Return the desired-state repository; raises SettingsError when it is not clear who may sign."""
    source = settings.source
    access = GitAccess(ssh_key=source.ssh_key, known_hosts=settings.source_known_hosts)
    follow = Follow(source.folder, signatures_of(settings))
    return GitSource(source.url, source.branch, settings.mirror, follow=follow, access=access)


def signatures_of(settings: Settings) -> Signatures | None:
    """Return which commits must be signed and by whom, None when none must; raises SettingsError."""
    file = settings.source.allowed_signers
    if settings.source.signatures == "none" or file is None:
        return None
    try:
        found = read_signers(file.read_bytes(), str(file))
    except OSError as error:
        found = Unreadable((f"{file}: {error.strerror}",))
    if isinstance(found, Unreadable):
        hint = "Correct the file that `source.allowed_signers` names; docs/how-to/sign-commits.md shows one."
        raise SettingsError("\n".join(found.problems), reason=Reason.SETTINGS_INVALID, hint=hint)
    return Signatures(settings.source.signatures, found, SystemClock().now)


def ssh_settings(settings: Settings) -> SshSettings:
    """Return how hosts are reached."""
    return SshSettings(
        known_hosts=settings.known_hosts,
        client_keys=settings.ssh.keys,
        per_zone=settings.ssh.per_zone,
        connect_timeout_s=settings.ssh.connect_timeout_s,
    )


# ---------------------------------------------------------------- the daemon

Reread = Callable[[], Settings]


@dataclass(slots=True)
class Reload:
    """What SIGHUP asks for: to `end`, and begin anew with the settings as they stand now.

    While these are wrong the board says so, and those of before hold.
    """

    reread: Reread
    board: Board
    end: Callable[[], None]
    newer: Settings | None = field(default=None, init=False)

    def ask(self, _: signal.Signals) -> None:
        """Read them; they are in force when what holds the old ones has ended."""
        try:
            newer = self.reread()
            signatures_of(newer)
        except SettingsError as error:
            self.board.settings_problem = str(error)
            text = f"they are wrong, and those of before hold: {error}"
            log.warning("settings", reason=error.reason, text=text, hint=error.hint)
            return
        log.info("settings", text="begun anew with what they say now; running steps go on on their hosts")
        self.newer = newer
        self.end()


@dataclass(slots=True)
class App:
    """A daemon with what it must give back at its end."""

    daemon: Daemon
    ports: Ports
    journal: SqlJournal
    board: Board
    settings: Settings

    async def run(self, reread: Reread) -> Settings | None:
        """Serve and pass until a signal comes; return the settings to begin anew with, None to end."""
        web = serve(self.settings, self.board)
        supervisor().ready()
        reload = Reload(reread, self.board, self.daemon.stop)
        try:
            with caught(self.stop, reload.ask):
                await self.daemon.run()
        finally:
            web.close()
            await self.close()
        return reload.newer

    async def run_once(self) -> Report:
        """Pass until nothing runs and nothing may start."""
        try:
            with caught(self.stop):
                return await self.daemon.run_once()
        finally:
            await self.close()

    def stop(self, number: signal.Signals) -> None:
        """End the loop; a second signal ends the process at once. Steps go on on their hosts."""
        if self.daemon.stopping:
            os._exit(KILLED + number)
        log.info("stopping", signal=number.name, text="running steps go on on their hosts")
        self.daemon.stop()

    async def close(self) -> None:
        """Give back connections and the lease; what runs on hosts goes on."""
        await self.ports.hosts.close()
        self.journal.close()


def open_daemon(settings: Settings) -> App:
    """Take the lease and join everything; raises ReconcilerError when that cannot be."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would be all keys and passwords, on disk
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))  # a connection to each host is kept open
    redactor = Redactor()
    configure(settings.log.format, settings.log.level, redactor)
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    failpoint = armed(os.environ)
    failpoint.reach("lease.before")
    journal = SqlJournal.acquire(settings.store_url, SystemClock(), archived=settings.journal.archive)
    failpoint.reach("lease.after")
    ports = failpoint.around(make_ports(settings, journal, redactor))
    reader = partial(read_revision, allowed=settings.commands.allowed)
    policy = settings.journal
    keep = Keep(runs=policy.keep_runs, days=policy.keep_days, at_once=policy.seal_runs)
    memory = Memory(ports, reader, Executor(ports), sweep_s=settings.sweep.interval_s, keep=keep)
    _require_known(memory.remember())
    board = Board(utc_now())
    publisher = Publisher(journal, memory, board)
    _recall(publisher, journal)
    jitter = random.Random()  # noqa: S311 - spreads load, guards nothing
    daemon = Daemon(
        memory,
        publisher,
        poll_s=settings.source.poll_s,
        jitter=lambda: jitter.uniform(0, settings.source.jitter_s),
        beat=supervisor().beat,
        unwritten=publisher.unwritten,
    )
    return App(daemon, ports, journal, board, settings)


def _require_known(history: History) -> None:
    """Raise JournalError for an open leg that another version began and this one could not carry on."""
    if unknown := unknown_steps(history):
        raise strange(f"{len(unknown)} steps of open legs, first {unknown[0]}")


def serve(settings: Settings, board: Board) -> Serving:
    """Let another process show the board to the network: a child, or one that asks at a socket."""
    pages = Pages(board)
    return Apart(settings.web.socket, pages) if settings.web.socket else Child(settings.web.address, pages)


def _recall(publisher: Publisher, journal: JournalReader) -> None:
    document = journal.document(STATUS)
    if document is not None and isinstance(document.body, dict):
        publisher.recall(document.body)


def supervisor() -> Supervisor:
    """Return who started this process and may want to hear of it."""
    return Supervisor(os.environ.get("NOTIFY_SOCKET", ""))


Heard = Callable[[signal.Signals], None]


@contextmanager
def caught(stop: Heard, reload: Heard | None = None) -> Iterator[None]:
    """Let SIGTERM and SIGINT do this instead of ending the process, and SIGHUP that."""
    loop = asyncio.get_running_loop()
    heard = {signal.SIGTERM: stop, signal.SIGINT: stop} | ({signal.SIGHUP: reload} if reload else {})
    for number, does in heard.items():
        loop.add_signal_handler(number, does, number)
    try:
        yield
    finally:
        for number in heard:
            loop.remove_signal_handler(number)
