"""The shape of hop rules and notes in the catalog's files."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, model_validator

from reconciler.catalog.model import Model, Name, SpanModel, Text, Versions
from reconciler.domain.rule import RuleKind, Verified


class SchemaTestModel(Model):
    """A question about the schema that a hop starts from."""

    database: Name = "main"
    alembic: bool | None = None
    migrate_below: Versions = {}
    migrate_at_least: Versions = {}
    migrate_missing: tuple[Name, ...] = ()


class NeedModel(Model):
    """Another component at such a release, or later."""

    service: Name
    release: Name
    when: Literal["before", "after"]


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
    exposed: str = ""
    meet: str = ""
    outcome: Literal["", "refused", "reinit", "silent_stamp", "accepted_unsafe"] = ""
    leaves: Literal["", "alembic_version"] = ""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> RuleModel:
        if self.met_by and self.kind is not RuleKind.GATE:
            raise ValueError("met_by belongs to a rule of kind gate")
        if (self.needs is not None) != (self.kind is RuleKind.REQUIRES):
            raise ValueError("needs belongs to a rule of kind requires, and such a rule needs it")
        if self.exposed and self.kind is not RuleKind.FORBIDDEN:
            raise ValueError("exposed belongs to a rule of kind forbidden")
        return self


class NoteModel(SpanModel):
    """A fact that no rule can hold."""

    id: Name
    text: Text
    source: Text
    verified: Verified
