"""The JSON contracts of what is asked of databases: identify and schema diff."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict


class Marker(TypedDict):
    """The version tables; null: there is no such table, or it was not read (then `tables` is null too)."""

    alembic: list[str] | None
    migrate: dict[str, int] | None
    tables: int | None


Judgement = Literal["harmless", "notable", "damaging"]


class StructureSays(TypedDict):
    """What tables, columns and keys say: `releases` whose structure it has; else the `nearest`, and what differs."""

    releases: list[str]
    nearest: str
    counts: dict[Judgement, int]
    text: str


class Identified(TypedDict):
    """One database: `releases` are all whose schema it shows; `structure` is null when it was not read."""

    marker: Marker
    releases: list[str]
    state: Literal["at", "between", "unknown", "empty"]
    text: str
    structure: StructureSays | None


class Identify(TypedDict):
    """`reconciler identify`: `releases` are those that all databases allow."""

    service: str
    databases: dict[str, Identified]
    releases: list[str]


class DifferenceFound(TypedDict):
    """An object that is `missing`, `extra` or `other` than expected; null on the side where there is none."""

    judgement: Judgement
    kind: Literal["missing", "extra", "other"]
    expected: str | None
    seen: str | None
    reason: str


class ComparedDatabase(TypedDict):
    """One database: `origins` say which code made what is expected; `differences` are all, the worst first."""

    state: Literal["same", "harmless", "differs", "unknown"]
    text: str
    origins: list[str]
    differences: list[DifferenceFound]


class SchemaDiff(TypedDict):
    """`reconciler schema diff`."""

    service: str
    release: str
    databases: dict[str, ComparedDatabase]
