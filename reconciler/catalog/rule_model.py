"""The shape of hop rules and notes in the catalog's files."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from reconciler.catalog.model import Argv, Model, Name, RowName, SpanModel, Text, Versions
from reconciler.domain.row_probe import flaw_of
from reconciler.domain.rule import RuleKind, Verified


class SchemaTestModel(Model):
    """A question about the schema that a hop starts from."""

    database: Name = "main"
    alembic: bool | None = None
    migrate_below: Versions = {}
    migrate_at_least: Versions = {}
    migrate_missing: tuple[RowName, ...] = ()
    alembic_any: tuple[Name, ...] = ()
    alembic_none: tuple[Name, ...] = ()


class NeedModel(Model):
    """Another component at such a release, or later."""

    service: Name
    release: Name
    when: Literal["before", "after"]


class ExclusionModel(SpanModel):
    """Releases of another component that must not be met."""

    service: Name


class SkewModel(Model):
    """How far the service may lag behind another one of its series."""

    service: Name
    behind: Annotated[int, Field(ge=0)] = 1
    oldest: dict[Name, Name] = {}


class ExposureModel(Model):
    """How to find out whether a fleet is exposed."""

    text: Text
    promql: Text | None = None
    sql: Text | None = None
    database: Name = "main"
    command: Argv | None = None

    @model_validator(mode="after")
    def _is_one_question(self) -> ExposureModel:
        if sum(each is not None for each in (self.promql, self.sql, self.command)) > 1:
            raise ValueError("a fleet is asked in one way: promql, sql or command")
        if self.sql is not None and (flaw := flaw_of(self.sql)):
            raise ValueError(f"sql must be one harmless SELECT: {flaw}")
        return self


class RowsModel(Model):
    """A question for the rows that stand in the way, put to each of `databases`."""

    databases: Annotated[tuple[Name, ...], Field(min_length=1)] = ("main",)
    tables: Annotated[tuple[Name, ...], Field(min_length=1)]
    key: Text
    sql: Annotated[str, Field(min_length=1, max_length=10_000)]

    @field_validator("sql")
    @classmethod
    def _reads_only(cls, sql: str) -> str:
        if flaw := flaw_of(sql):
            raise ValueError(f"the SQL is not one read-only SELECT: {flaw}")
        return " ".join(sql.split())


class RuleModel(Model):
    """A hop rule; `from`, `to`, `pairs` and `when` say which hops it applies to."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    id: Name
    kind: RuleKind
    reason: Text
    source: Text
    verified: Verified
    origins: SpanModel = Field(default=SpanModel(), alias="from")
    goals: SpanModel = Field(default=SpanModel(), alias="to")
    pairs: tuple[tuple[Name, Name], ...] = ()
    when: SchemaTestModel | None = None
    met_by: SpanModel | None = None
    needs: NeedModel | None = None
    excludes: ExclusionModel | None = None
    skew: SkewModel | None = None
    exposed: str | ExposureModel = ""
    meet: str = ""
    rows: tuple[RowsModel, ...] = ()
    stops: Literal["sync", "start"] = "sync"
    cure: Argv | tuple[()] = ()
    cured_by: SpanModel | None = None
    outcome: Literal["", "refused", "reinit", "silent_stamp", "accepted_unsafe"] = ""
    says: str = ""
    leaves: Literal["", "alembic_version"] = ""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> RuleModel:
        if self.met_by and self.kind is not RuleKind.GATE:
            raise ValueError("met_by belongs to a rule of kind gate")
        for key, kind in (("needs", RuleKind.REQUIRES), ("excludes", RuleKind.EXCLUDES), ("skew", RuleKind.SKEW)):
            if (getattr(self, key) is not None) != (self.kind is kind):
                raise ValueError(f"{key} belongs to a rule of kind {kind}, and such a rule needs it")
        if self.exposed and self.kind not in {RuleKind.FORBIDDEN, RuleKind.REQUIRES, RuleKind.EXCLUDES}:
            raise ValueError("exposed belongs to a rule of kind forbidden, requires or excludes")
        self._has_a_whole_gate()
        return self

    def _has_a_whole_gate(self) -> None:
        if (self.rows or self.cure) and self.kind is not RuleKind.GATE:
            raise ValueError("rows and cure belong to a rule of kind gate")
        if self.rows and not self.meet:
            raise ValueError("a gate with rows needs meet: how they are got out of the way")
        if self.cured_by and not self.cure:
            raise ValueError("cured_by says whose code has the cure, and needs one")


class NoteModel(SpanModel):
    """A fact that no rule can hold."""

    id: Name
    text: Text
    source: Text
    verified: Verified
