"""The JSON contracts of what is asked of the catalog."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict


class Finding(TypedDict):
    """One thing that is wrong; `subject` is a release or rule of the service."""

    service: str
    check: Literal["placed", "sourced", "contradiction", "dead", "markers", "relation"]
    subject: str
    text: str


class Lint(TypedDict):
    """`reconciler catalog lint`."""

    services: int
    rules: int
    findings: list[Finding]


class MarkerOf(TypedDict):
    """What a release leaves in a database; `until` names the last package that leaves it, empty: every later one."""

    alembic: list[str]
    migrate: dict[str, int]
    until: str


class ReleaseOf(TypedDict):
    """A release; versions are empty where only distributions make packages. Markers are newest first."""

    id: str
    codename: str
    slurp: bool
    first: str
    final: str
    python: str
    markers: dict[str, list[MarkerOf]]


EdgeOf = TypedDict(
    "EdgeOf",
    {
        "from": str,
        "to": str,
        "verdict": Literal["sequential", "slurp", "skip", "direct", "refused", "poisons", "silent", "gated", "unknown"],
        "rule": str,
        "text": str,
    },
)


class RuleOf(TypedDict):
    """A rule: what it says, and where the fact comes from.

    `partner` is the component that it names, if any; `asks` what it asks of it: a release `before` or `after`, `first`
    and `last` of those excluded, or for skew release of the partner to the oldest that works beside it.
    """

    id: str
    kind: str
    text: str
    source: str
    verified: Literal["read", "replayed", "run"]
    partner: str
    asks: dict[str, str]


class NoteOf(TypedDict):
    """A fact that no rule can hold."""

    id: str
    text: str
    source: str


class CatalogOf(TypedDict):
    """`reconciler catalog show SERVICE`: `edges` are all hops between two of its releases."""

    service: str
    series: str
    releases: list[ReleaseOf]
    edges: list[EdgeOf]
    rules: list[RuleOf]
    notes: list[NoteOf]
