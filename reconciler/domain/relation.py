"""What components may ask of each other: releases that exclude each other, and how far one may lag behind another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """Releases of another component, from `first` to `last`, that a service must not meet; an empty end is open."""

    service: str
    first: str = ""
    last: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skew:
    """How far a component may lag behind another one of its series; it may never be ahead of it.

    Attributes:
        service: the component that it may lag behind.
        behind: how many releases, where `oldest` says nothing else.
        oldest: release of the other component, to the oldest release that still works with it.
    """

    service: str
    behind: int = 1
    oldest: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """A question whose answer says whether a fleet is exposed to what a rule is about; exactly one way to ask.

    Exposed means: PromQL has a sample, SQL has a row, the command exits with 0. `text` says for people which fleets
    are, and stands alone where only a person can tell. What nobody can tell counts as exposed.
    """

    text: str
    promql: str = ""
    sql: str = ""
    database: str = ""
    command: tuple[str, ...] = ()

    @property
    def asks(self) -> bool:
        """Tell whether there is a question at all, and not only words for a person."""
        return bool(self.promql or self.sql or self.command)


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a fleet is exposed, and what was seen that says so."""

    exposed: bool
    text: str
