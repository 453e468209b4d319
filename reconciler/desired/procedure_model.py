"""The form of procedure files."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from reconciler.desired import words as w
from reconciler.desired.model import Model

Span = Literal[
    "preflight",
    "prepare",
    "quiesce",
    "backup",
    "load",
    "migrate",
    "roll",
    "backfill",
    "cutover",
    "contract",
    "retire",
    "finish",
]


class CutsLinkModel(Model):
    """For what may cut its host off: how the host comes back by itself when the daemon does not reach it any more."""

    revert: tuple[w.Given, ...] = Field(
        min_length=1, description="An argv that brings the link back; run by the host itself. Holds placeholders."
    )
    within_s: w.Seconds = Field(
        default=120, ge=10, description="Seconds from the end of the step in which the daemon must connect anew."
    )
    again: tuple[w.Given, ...] = Field(
        default=(),
        description="An argv that brings back what the step made, run when going back cuts the link; "
        "left out: the command itself, where the action is one, else `revert`. Holds placeholders.",
    )


class ActionModel(Model):
    """One thing to do: an action's word alone, or a mapping with these keys and the action's own arguments."""

    model_config = ConfigDict(frozen=True, extra="allow")

    action: w.Action = Field(description="A word of the closed list of actions.")
    name: w.OptionalName = Field(
        default="", description="Tells it from others of its kind; `{value:NAME.KEY}` means what it leaves."
    )
    title: w.Line = Field(default="", description="What operators read, in place of the action's own; placeholders.")
    when: w.When = Field(
        default="",
        description="`onto`, `appears`, `first_hop`, `last_hop`, `to RELEASE` or `service NAME`: else it is left out.",
    )
    cuts_link: CutsLinkModel | None = Field(
        default=None, description="Says that it may cut the host off, and how it comes back."
    )
    required: w.Flag = Field(default=True, description="`false`, in preflight: a failure is told and stops nothing.")


class StepModel(ActionModel):
    """One thing to do, in its short or its long form."""

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

    phase: Span = Field(description="What kind of phase.")
    each: Literal["leg", "hop"] = Field(default="leg", description="Once per leg, or for every hop of it.")
    on: w.Selector = Field(description="Where its steps are done, like `wave` or `role compute`.")
    rolling: w.Flag = Field(default=False, description="`true`: hosts that would go side by side go one by one.")
    steps: tuple[StepModel, ...] = Field(min_length=1, description="Its steps in order.")


class WatchModel(Model):
    """A question with a span of phases: asked again and again from before the first until after the last.

    Beside these keys it has the arguments of the step kind `watch`.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    name: w.Name = Field(description="Its name.")
    on: w.Selector = Field(default="bootstrap", description="From where it is asked.")
    first: Span = Field(alias="from", description="The phase before which it begins.")
    last: Span = Field(alias="to", description="The phase after which it ends.")


class ProcedureModel(Model):
    """How a leg is carried out."""

    text: w.Given = Field(description="One sentence for the operator.")
    leg: Literal["route", "hop"] = Field(description="How much of a route one leg covers.")
    phases: tuple[PhaseModel, ...] = Field(min_length=1, description="Its phases in order.")
    watches: tuple[WatchModel, ...] = Field(default=(), description="Probes over a span of its phases.")
