"""Hop rules: facts about hops, and which hops they apply to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.domain.marker import Marker
from reconciler.domain.relation import Exclusion, Exposure, Skew
from reconciler.domain.release import EVERY, Span
from reconciler.domain.row_probe import RowProbe


class RuleKind(StrEnum):
    """What a hop rule does to the hops that it applies to."""

    SEQUENTIAL = "sequential"
    SLURP = "slurp"
    SKIP = "skip"
    DIRECT = "direct"
    COLLAPSED = "collapsed"
    POISONS = "poisons"
    SILENT = "silent"
    FORBIDDEN = "forbidden"
    GATE = "gate"
    REQUIRES = "requires"
    EXCLUDES = "excludes"
    SKEW = "skew"


ADMITTING = (RuleKind.SEQUENTIAL, RuleKind.SLURP, RuleKind.SKIP, RuleKind.DIRECT)
REFUSING = frozenset({RuleKind.COLLAPSED, RuleKind.POISONS, RuleKind.SILENT, RuleKind.FORBIDDEN})
RELATING = frozenset({RuleKind.REQUIRES, RuleKind.EXCLUDES, RuleKind.SKEW})
"""Kinds of rules that name another component."""


class Verified(StrEnum):
    """How a fact was made sure of: read in the code, replayed with its graph, or run for real."""

    READ = "read"
    REPLAYED = "replayed"
    RUN = "run"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaTest:
    """A question about the marker of a hop's starting release; every part that is given must hold."""

    database: str
    alembic: bool | None = None
    migrate_below: Mapping[str, int] = field(default_factory=dict)
    migrate_at_least: Mapping[str, int] = field(default_factory=dict)
    migrate_missing: frozenset[str] = frozenset()
    alembic_any: frozenset[str] = frozenset()
    alembic_none: frozenset[str] = frozenset()

    def holds(self, marker: Marker, ancestry: frozenset[str] = frozenset()) -> bool:
        """Say whether a database with `marker` passes; `ancestry` are the revisions that its heads stand on."""
        rows = marker.migrate
        return (
            (self.alembic is None or self.alembic == bool(marker.alembic))
            and (not self.migrate_below or any(rows.get(r, n) < n for r, n in self.migrate_below.items()))
            and all(rows.get(r, n - 1) >= n for r, n in self.migrate_at_least.items())
            and self.migrate_missing.isdisjoint(rows)
            and (not self.alembic_any or not self.alembic_any.isdisjoint(ancestry))
            and self.alembic_none.isdisjoint(ancestry)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Another component that must stand at `release` or later, before the hop or, following it, after."""

    service: str
    release: str
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One fact about hops, and which hops it applies to.

    Attributes:
        origins: releases that the hop starts from.
        goals: releases that it leads to.
        pairs: when given, exactly these hops, as (start, goal) indexes.
        when: a question about the starting schema.
        met_by: for a gate, releases whose code can meet it; an older start is refused.
        needs, excludes, skew: what a rule of that kind asks of another component; the last two are about where the
            service stands (`goals`), not about a hop.
        exposed: what makes a fleet exposed to a bug; the rule is then a gate, not a refusal.
        exposure: how to find out whether this fleet is.
        rows: for a gate, questions that find the rows in the way; none found, the gate is open.
        stops: what such rows stop: sync, the schema command; or start, the services of the release when they start.
        cure: a command, as argv, that takes such rows out of the way.
        cured_by: releases whose code has that command and the right one; None: those of `met_by`, or any.
        outcome: what the tool does when the hop is tried all the same.
        says: the text of its refusal, with `{names}` for what varies.
        leaves: a version table that such a try leaves behind, empty.
    """

    id: str
    kind: RuleKind
    reason: str
    source: str
    verified: Verified
    origins: Span = EVERY
    goals: Span = EVERY
    pairs: frozenset[tuple[int, int]] = frozenset()
    when: SchemaTest | None = None
    met_by: Span | None = None
    needs: Need | None = None
    excludes: Exclusion | None = None
    skew: Skew | None = None
    exposed: str = ""
    exposure: Exposure | None = None
    meet: str = ""
    rows: tuple[RowProbe, ...] = ()
    stops: str = "sync"
    cure: tuple[str, ...] = ()
    cured_by: Span | None = None
    outcome: str = ""
    says: str = ""
    leaves: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A fact that no rule can hold, for the releases it is true of."""

    id: str
    text: str
    source: str
    verified: Verified
    releases: Span = EVERY
