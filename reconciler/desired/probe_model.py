"""The form of probes: read-only questions with a good answer."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from reconciler.desired import words as w
from reconciler.desired.build_model import exactly_one
from reconciler.desired.model import Model
from reconciler.domain.row_probe import flaw_of


class SamplingModel(Model):
    """How a probe is asked."""

    count: w.Count = Field(default=1, description="How many good answers in a row are wanted.")
    interval_s: w.Seconds = Field(default=1.0, description="Seconds between two questions.")
    timeout_s: w.Seconds = Field(default=10.0, description="Seconds that one question may take.")
    warmup_s: w.Seconds = Field(
        default=30.0, description="Seconds in which bad answers before the first good one pass."
    )
    report_only: w.Flag = Field(default=False, description="`true`: a bad answer is told, and stops nothing.")


class HttpModel(SamplingModel):
    """An HTTP request and what a good answer looks like."""

    url: w.HttpUrl = Field(description="Holds placeholders, but no secrets.")
    method: Literal["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"] = Field(default="GET", description="The method.")
    headers: dict[w.Header, w.Line] = Field(default={}, description="Headers; hold placeholders and secrets.")
    body: w.Text = Field(default="", description="The body; holds placeholders and secrets.")
    status: w.Status = Field(default=200, description="The status of a good answer.")
    expect_header: w.Header = Field(default="", description="A header that a good answer has.")
    expect_body: w.Text = Field(default="", description="A text that a good answer contains.")
    verify_tls: w.Flag = Field(default=True, description="Whether certificates are checked.")


class TcpModel(SamplingModel):
    """A connection from the daemon's machine that is taken."""

    host: w.Given = Field(description="An address or name; holds placeholders, like `{address}`.")
    port: w.Port = Field(description="The port.")


class PromqlModel(SamplingModel):
    """A query of the fleet's Prometheus. Silence is neither good nor bad."""

    query: w.Given = Field(description="An instant query; holds placeholders, like `{host}`.")
    good: Literal["some", "none"] = Field(description="Whether a good answer has samples, or none.")
    present: w.Line = Field(
        default="",
        description="A query that has samples as long as there is anything to ask about; needed with `good: none`.",
    )

    @model_validator(mode="after")
    def _tells_silence(self) -> Self:
        if self.good == "none" and not self.present:
            raise ValueError("must say under `present` which series are there while all is well: none is quiet too")
        return self


class SqlModel(SamplingModel):
    """One SELECT on a database of the service."""

    database: w.Name = Field(description="The database, by its name in the service.")
    select: w.Given = Field(description="One SELECT without functions that have effects.")
    good: Literal["some", "none"] = Field(description="Whether a good answer has rows, or none.")

    @field_validator("select")
    @classmethod
    def _harmless(cls, text: str) -> str:
        if flaw := flaw_of(text):
            raise ValueError(f"must be one harmless SELECT: {flaw}")
        return text


class CommandModel(SamplingModel):
    """A command on the host that changes nothing: it is asked again and again."""

    argv: tuple[w.Given, ...] = Field(min_length=1, description="The command and its arguments; hold placeholders.")
    ok: tuple[int, ...] = Field(default=(0,), min_length=1, description="The exit codes of a good answer.")
    output: w.Text = Field(default="", description="A regular expression that a good answer's output matches.")

    @field_validator("output")
    @classmethod
    def _compiles(cls, text: str) -> str:
        try:
            re.compile(text)
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        return text


class UnitModel(SamplingModel):
    """A unit of the host's manager that is active."""

    unit: w.Unit = Field(description="The unit.")


class RunningModel(SamplingModel):
    """A container of the host's engine that runs."""

    container: w.Name = Field(description="The container.")
    engine: Literal["podman", "docker"] = Field(default="podman", description="Its engine.")


KINDS = ("http", "tcp", "promql", "sql", "command", "unit", "container")


class ProbeModel(Model):
    """A read-only question, of exactly one kind."""

    http: HttpModel | None = Field(default=None, description="Ask by HTTP, from the daemon's machine.")
    tcp: TcpModel | None = Field(default=None, description="Open a connection, from the daemon's machine.")
    promql: PromqlModel | None = Field(default=None, description="Ask the fleet's Prometheus.")
    sql: SqlModel | None = Field(default=None, description="Ask a database of the service.")
    command: CommandModel | None = Field(default=None, description="Ask by a command on the host.")
    unit: UnitModel | None = Field(default=None, description="Ask the host's manager of units.")
    container: RunningModel | None = Field(default=None, description="Ask the host's container engine.")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        exactly_one(self, *KINDS)
        return self
