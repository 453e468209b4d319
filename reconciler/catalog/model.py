"""What all parts of the catalog's files have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Argv = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
RowName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$")]
Versions = dict[RowName, Annotated[int, Field(ge=0)]]


class Model(BaseModel):
    """Frozen, and strict about unknown keys: a misspelt rule must not be a missing rule."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SpanModel(Model):
    """From the first to the last release named; an end left out is open."""

    first: Name | None = None
    last: Name | None = None
