"""The form of procedure files."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from reconciler.desired import words as w
from reconciler.desired.model import Model


class StepModel(Model):
    """One thing to do: an action's word, or a mapping with `action` and the action's own arguments."""

    model_config = ConfigDict(frozen=True, extra="allow")

    action: w.Action = Field(description="A word of the closed list of actions.")

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: object) -> object:
        return {"action": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Tell editors of both forms."""
        mapping = handler.resolve_ref_schema(handler(core))
        form = {"description": mapping.pop("description", ""), "title": mapping.pop("title", "")}
        return {**form, "anyOf": [{"type": "string"}, mapping]}


class PhaseModel(Model):
    """One phase of a procedure."""

    phase: Literal[
        "preflight",
        "prepare",
        "quiesce",
        "backup",
        "migrate",
        "roll",
        "backfill",
        "contract",
        "retire",
        "finish",
    ] = Field(description="What kind of phase.")
    each: Literal["leg", "hop"] = Field(default="leg", description="Once per leg, or for every hop of it.")
    on: Literal["bootstrap", "wave", "fleet", "daemon"] = Field(description="Where its steps are done.")
    steps: tuple[StepModel, ...] = Field(min_length=1, description="Its steps in order.")


class ProcedureModel(Model):
    """How a leg is carried out."""

    text: w.Given = Field(description="One sentence for the operator.")
    leg: Literal["route", "hop"] = Field(description="How much of a route one leg covers.")
    phases: tuple[PhaseModel, ...] = Field(min_length=1, description="Its phases in order.")
