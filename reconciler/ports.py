"""What the engine needs of the world, and the values it exchanges with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from reconciler.domain.chain import START, Place
from reconciler.domain.desired import Database, Host, Prometheus, SecretRef
from reconciler.domain.dns import DnsRecords
from reconciler.domain.effect import AskHttp, HostScript, UpdateDns
from reconciler.domain.journal import Command, Draft, Entry
from reconciler.domain.metric import MetricSample
from reconciler.domain.observation import Observed
from reconciler.domain.outcome import Exited, Sample
from reconciler.domain.quiet import MetricsServer
from reconciler.domain.revision import Revision, SourceState
from reconciler.domain.row_probe import RowProbe, Rows
from reconciler.domain.schema import SchemaMarker
from reconciler.domain.segment import Cut
from reconciler.domain.step_key import StepKey
from reconciler.domain.structure import Structure

# ---------------------------------------------------------------- hosts


@dataclass(frozen=True, slots=True)
class Question:
    """One observer's question to a host: `script` is POSIX sh that prints the answer, fixed text but for `args`.

    `key` names the answer, for example ``packages`` or ``environments:/srv/keystone/current``.
    """

    key: str
    script: str
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question's script printed and its exit code; `output` is capped, not yet cleaned."""

    code: int
    output: bytes


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A host did not answer. `reason` is one of the HOST_* reason codes."""

    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Guard:
    """What a host does unless disarmed `within_s` after a step ended, or seems to have: after `limit_s`."""

    revert: HostScript
    limit_s: float
    within_s: float


@dataclass(frozen=True, slots=True)
class Order:
    """What a host is told to do: under which key and epoch, and the script with its secrets resolved."""

    key: StepKey
    epoch: int
    script: HostScript
    secrets: Mapping[str, str]  # name to plain text
    timeout_s: float
    guard: Guard | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """The step runs on the host."""


@dataclass(frozen=True, slots=True)
class Died:
    """The step's process is gone and left no exit code: a reboot (`rebooted`), a kill."""

    rebooted: bool


@dataclass(frozen=True, slots=True)
class NeverStarted:
    """The host knows nothing of the step."""


@dataclass(frozen=True, slots=True)
class Fenced:
    """The host has seen a newer epoch and refuses."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Reverted:
    """Nobody came in time, and the host has run what its guard was given."""

    code: int
    output: str


HostStep = Reverted | Running | Exited | Died | NeverStarted | Fenced


class Hosts(Protocol):
    """The machines, over SSH."""

    async def look(self, host: Host, questions: Sequence[Question]) -> Mapping[str, Answer] | Unreachable:
        """Ask read-only questions in one round trip; a key that is missing from the answer was not reached."""
        ...

    async def start(self, host: Host, order: Order) -> HostStep | Unreachable:
        """Start a step detached, or attach to it when it is known; Unreachable means an unknown outcome: ask."""
        ...

    async def ask(self, host: Host, keys: Sequence[StepKey]) -> Mapping[StepKey, HostStep] | Unreachable:
        """Say how steps stand."""
        ...

    async def wait(self, host: Host, key: StepKey) -> None:
        """Return when the step has ended or the link is gone; decides nothing."""
        ...

    async def disarm(self, host: Host, key: StepKey, epoch: int) -> HostStep | Unreachable:
        """Say over a new connection how a guarded step stands; the guard of one that has ended fires no more."""
        ...

    async def forget(self, host: Host, runs: Sequence[str]) -> None:
        """Remove the folders of ended steps of these runs."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


# ---------------------------------------------------------------- the rest


class Databases(Protocol):
    """The services' databases, by SQL, read-only. `password` is plain text or None."""

    async def marker(self, database: Database, password: str | None) -> Observed[SchemaMarker]:
        """Read the version tables; Absent when the database does not exist, Unknown when nobody can tell."""
        ...

    async def fingerprint(self, database: Database, password: str | None) -> Observed[str]:
        """Digest all rows of all tables, independent of row order."""
        ...

    async def structure(self, database: Database, password: str | None) -> Observed[Structure]:
        """Read tables, columns and keys in their normal form; the version tables are left out."""
        ...

    async def rows(self, database: Database, password: str | None, probe: RowProbe) -> Observed[Rows]:
        """Count the rows that a probe finds, in a read-only transaction; Unknown when its SQL is not one SELECT."""
        ...


class Http(Protocol):
    """HTTP requests and connections from the daemon's machine."""

    async def sample(self, ask: AskHttp, secrets: Mapping[str, str]) -> Sample:
        """Ask once; never raises for what a server does."""
        ...

    async def connect(self, host: str, port: int) -> Sample:
        """Open a connection and close it; never raises for what the other side does."""
        ...


class Dns(Protocol):
    """The DNS servers that have the word on the names of endpoints."""

    async def update(self, change: UpdateDns, key: str | None) -> Sample:
        """Tell the server to change records, signed with `key`, a base64 text; `ok` is None when nobody could tell."""
        ...

    async def values(self, records: DnsRecords) -> Observed[tuple[str, ...]]:
        """Ask the server itself: sorted values, Absent for none; Unknown where it has not the word on the name."""
        ...


class Metrics(Protocol):
    """The Prometheus that knows the fleet, read-only."""

    async def query(self, server: Prometheus, token: str | None, promql: str) -> Observed[tuple[MetricSample, ...]]:
        """Ask an instant query: the samples of a vector, or a scalar as one; Unknown for everything else."""
        ...

    async def standing(self, server: Prometheus, token: str | None, *, rules: bool) -> Observed[MetricsServer]:
        """Ask since when it runs, and on demand which alerting rules it has."""
        ...


class Secrets(Protocol):
    """Secrets by reference."""

    def resolve(self, ref: SecretRef) -> str:
        """Read a secret without its trailing newline; raises SecretError."""
        ...

    def redact(self, text: str) -> str:
        """Take every secret that was resolved so far out of a text."""
        ...


class Source(Protocol):
    """The desired-state repository."""

    async def latest(self, accepted: str, trusted: str = "") -> SourceState:
        """Fetch, and return the newest revision if it descends from the `accepted` commit (empty: accept any).

        Where commits must be signed, what `trusted` says of signers counts: the newest commit that a signature or a
        person let in, empty for none. When the newest does not descend, is not signed so, or cannot be fetched or
        read, `revision` is the accepted one, from what is here already.
        """
        ...

    async def revision(self, commit: str) -> Revision | None:
        """Return a known commit with its files."""
        ...


class Journal(Protocol):
    """The durable record. Blocking by design: a pass must not go on before an entry is on disk."""

    def read(self, after: Entry | Place = START) -> Sequence[Entry]:
        """Return what follows a known entry, by default all that is kept; raises JournalError for a broken chain."""
        ...

    def seal(self, cut: Cut) -> Entry | None:
        """Seal what a cut was made of, all or nothing; None when entries came since. Raises JournalError."""
        ...

    def append(self, drafts: Sequence[Draft]) -> Sequence[Entry]:
        """Write entries durably, all or none, under the lease's epoch; raises JournalError."""
        ...

    def commands(self) -> Sequence[Command]:
        """Return the operators' commands that were not answered yet."""
        ...

    def answer(self, command: Command, drafts: Sequence[Draft], text: str) -> Sequence[Entry]:
        """Write what a command led to and mark it answered, in one transaction."""
        ...

    @property
    def epoch(self) -> int:
        """The epoch of the lease under which this process writes."""
        ...


class Clock(Protocol):
    """Time and waiting."""

    def now(self) -> datetime:
        """Return the wall time in UTC."""
        ...

    def elapsed_s(self) -> float:
        """Return seconds since some moment; they only grow, whatever somebody sets the wall time to."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """All of the world that a pass may use."""

    hosts: Hosts
    databases: Databases
    http: Http
    dns: Dns
    metrics: Metrics
    secrets: Secrets
    source: Source
    journal: Journal
    clock: Clock
