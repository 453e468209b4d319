"""The shape of commands in the catalog's files."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from reconciler.catalog.model import Argv, Model, Name, SpanModel, Text
from reconciler.domain.commands import When


class CommandModel(Model):
    """A schema command; without `databases` it moves all that the release has."""

    argv: Argv
    databases: tuple[Name, ...] = ()


def _one_or_many(given: object) -> object:
    """Take an argv list for the one command that moves every database."""
    if isinstance(given, list | tuple) and given and all(isinstance(each, str) for each in given):
        return ({"argv": given},)
    return given


_ARGV = {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}
_COMMAND = {
    "type": "object",
    "properties": {"argv": _ARGV, "databases": {"type": "array", "items": {"type": "string"}}},
    "required": ["argv"],
    "additionalProperties": False,
}
CommandList = Annotated[
    tuple[CommandModel, ...],
    Field(min_length=1),
    BeforeValidator(_one_or_many),
    WithJsonSchema({"anyOf": [_ARGV, {"type": "array", "items": _COMMAND, "minItems": 1}]}),
]


class SetupModel(Model):
    """A command beside the schema commands, for hops that start before the release `until`."""

    id: Name
    argv: Argv
    when: When
    until: Name | None = None
    reason: Text


class BackfillModel(Model):
    """Online data migrations, and what their exit codes say."""

    argv: Argv
    done: tuple[int, ...] = (0,)
    more: tuple[int, ...] = (1,)
    failed: tuple[int, ...] = (2,)
    stopped: tuple[int, ...] = ()
    source: Text


class LieModel(SpanModel):
    """Releases whose upgrade check answers what says nothing: with one of `codes`, and an output that matches."""

    codes: tuple[int, ...] = Field(min_length=1)
    output: Text | None = None
    reason: Text
    source: Text
    verified: Literal["read", "run"]


class EraModel(SpanModel):
    """Commands and units that hold for a stretch of releases; a service without databases has no `sync`."""

    zero_downtime: bool
    units: tuple[Name, ...] = ()
    sync: CommandList | None = None
    expand: CommandList | None = None
    migrate: CommandList | None = None
    contract: CommandList | None = None
    setup: tuple[SetupModel, ...] = ()
    backfill: BackfillModel | None = None
    check: Argv | None = None
    upgrade_check: Argv | None = None
