"""The JSON contracts of what a daemon knows: status, diff and history."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict

from reconciler.cli.contracts_plan import Block, Route, Steps

Clears = Literal["time", "operator", "committer", "another team"]
Verdict = Literal["", "InSync", "Progressing", "Waiting", "Blocked", "Suspended", "BackingOut", "Halted"]


class StatusService(TypedDict):
    """One service: `position` is empty when it cannot be told, `phase` and `run` without a run; `since` is ISO 8601."""

    service: str
    group: str
    desired: str
    position: str
    phase: str
    verdict: Verdict
    reason: str
    text: str
    hint: str
    run: str
    since: str
    steps: Steps


class Halt(TypedDict):
    """An open halt; `scope` is the group."""

    id: str
    scope: str
    reason: str
    text: str
    hint: str
    since: str


class Stall(TypedDict):
    """What stands still; `group` is empty for the fleet, `since` where it is not known."""

    kind: Literal[
        "waiting-window",
        "waiting-approval",
        "waiting-dependency",
        "waiting-person",
        "gate-failing",
        "step-slow",
        "step-hung",
        "host-lost",
        "source-stale",
    ]
    group: str
    owner: Clears
    reason: str
    text: str
    hint: str
    since: str


class Hosts(TypedDict):
    """Hosts that answered the newest look, those of which nobody can tell, and all."""

    known: int
    unknown: int
    total: int


class Suspension(TypedDict):
    """A suspension by command; an empty `scope` is the whole fleet."""

    scope: str
    by: str
    why: str
    since: str


class Quarantined(TypedDict):
    """A host that git leaves alone to the end of the day `until`, and the services whose target it would be."""

    host: str
    services: list[str]
    by: str
    why: str
    until: str


class Rehearsed(TypedDict):
    """How the newest rehearsal of a service goes, or went; `run` is its run."""

    service: str
    run: str
    state: Literal["running", "passed", "failed"]


class Source(TypedDict):
    """How the repository stands; `problem` is empty when the newest commit `head` is in force."""

    problem: str
    text: str
    hint: str
    head: str


class Remaining(TypedDict):
    """A step of an open run that is not done; `where` is host, daemon or person, `runs` is what would be typed."""

    group: str
    run: str
    step: str
    phase: str
    title: str
    host: str
    where: str
    begun: bool
    runs: list[str]


class Status(TypedDict):
    """`reconciler status`; `remaining` is empty unless it was asked for."""

    revision: str
    fleet: str
    at: str
    services: list[StatusService]
    halts: list[Halt]
    stalls: list[Stall]
    hosts: Hosts
    suspensions: list[Suspension]
    rehearsals: list[Rehearsed]
    quarantine: list[Quarantined]
    source: Source
    problems: list[Block]
    remaining: list[Remaining]


class DiffDatabase(TypedDict):
    """A database; `unknown` is a reason code when nobody can tell, `seen_at` empty when it was never asked."""

    name: str
    releases: list[str]
    text: str
    differs: bool
    unknown: str
    seen_at: str


class DiffHost(TypedDict):
    """A host; `drift` are sentences, `unknown` says why nobody can tell, `where` is where its release is wanted."""

    host: str
    desired: str
    where: str
    release: str
    differs: bool
    drift: list[str]
    unknown: str
    seen_at: str


class DiffService(TypedDict):
    """A service with its targets; `where` is the place in the desired state where its release is written."""

    service: str
    desired: str
    where: str
    position: str
    differs: bool
    unknown: bool
    databases: list[DiffDatabase]
    hosts: list[DiffHost]
    blocks: list[Block]


class _Diff(TypedDict):
    revision: str
    differs: bool
    unknown: bool
    services: list[DiffService]


class Diff(_Diff, total=False):
    """`reconciler diff`; `at` when it is the daemon's."""

    at: str


class WhyVerdict(TypedDict):
    """The verdict; `state` and `reason` are empty where a plan waits to be begun, `since` where nobody knows."""

    state: Verdict
    reason: str
    text: str
    hint: str
    who: Clears
    since: str


class WhyDesired(TypedDict):
    """What is wanted, and where that is written: file:line:col in a commit, which is empty for a folder."""

    release: str
    where: str
    revision: str


class WhyObserved(TypedDict):
    """What was seen of it, and when."""

    position: str
    databases: list[DiffDatabase]
    hosts: list[DiffHost]


class WhyStop(TypedDict):
    """What stands in the way, and who can clear it; `id` is that of a halt."""

    kind: Literal["commit", "halt", "suspension", "block", "wait"]
    id: str
    reason: str
    text: str
    hint: str
    who: Clears
    since: str


class WhyRun(TypedDict):
    """The open run: how far it is, and steps in words; `next` are at most five."""

    id: str
    going_back: bool
    done: int
    of: int
    running: list[str]
    failed: list[str]
    next: list[str]


class Why(TypedDict):
    """`reconciler why`; `host` is empty for the whole service, `route` null where there is none to go."""

    service: str
    host: str
    group: str
    verdict: WhyVerdict
    desired: WhyDesired
    observed: WhyObserved
    route: Route | None
    stops: list[WhyStop]
    run: WhyRun | None


class HistoryEntry(TypedDict):
    """An entry of the journal; `hash` is over all other fields, `prev` the hash of its predecessor."""

    seq: int
    at: str
    kind: str
    group: str
    run: str
    step: str
    body: dict[str, Any]
    prev: str
    hash: str


class History(TypedDict):
    """`reconciler history`; `head` is the newest hash."""

    verified: bool
    total: int
    head: str
    entries: list[HistoryEntry]


class Event(TypedDict):
    """One thing that happened; `group` is empty for what concerns the fleet."""

    at: str
    level: Literal["normal", "warning"]
    group: str
    event: str
    text: str


class Events(TypedDict):
    """`reconciler events`; with `--follow` each event is a line by itself."""

    events: list[Event]
