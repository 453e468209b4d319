"""Markers: what a release leaves in the version tables of a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Stage(StrEnum):
    """The part of a schema change that a repository or branch belongs to, in the order of running."""

    EXPAND = "expand"
    MIGRATE = "migrate"
    CONTRACT = "contract"


STAGES = tuple(Stage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """The marker that a release leaves: alembic heads, or else versions of migrate repositories.

    `until` names the last package version that leaves it; empty: every later one does.
    """

    alembic: frozenset[str] = frozenset()
    migrate: Mapping[str, int] = field(default_factory=dict)
    until: str = ""
