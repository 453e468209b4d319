"""The form of policies: what a halt stops, what backup sets are, who is asked, and what people took upon themselves."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from reconciler.desired import words as w
from reconciler.desired.model import Model


class AlertModel(Model):
    """What must not fire while a leg begins, asked of the fleet's Prometheus."""

    promql: w.Given = Field(description="An instant query; each sample of its answer is something that fires.")
    present: w.Line = Field(
        default="",
        description="A query that has samples as long as the server knows of it, like `ALERTS` of an alert that "
        "always fires; without any nobody can tell.",
    )
    groups: tuple[w.Name, ...] = Field(default=(), description="The groups that it holds back; none named: all.")
    until: Literal["pause", "waves"] = Field(
        default="pause",
        description="`pause`: it counts until the leg touches what serves; `waves`: before each later wave too.",
    )


class HaltsModel(Model):
    """What a halt stops beside the step that failed."""

    scope: Literal["host", "group", "fleet"] = Field(
        default="group",
        description="`group`: all of the group; `fleet`: every group's way forward; "
        "`host`: one host that fails after the canary, while the waves go on.",
    )
    hosts: w.Count | None = Field(default=None, description="With `host`: how many may fail before the group stops.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.scope == "host") != (self.hosts is not None):
            raise ValueError("say how many hosts may fail, with scope host and no other")
        return self


class BackupsModel(Model):
    """What backup sets must be; what a service leaves out is as the fleet says."""

    trust: Literal["read_back", "restored"] = Field(
        default="read_back",
        description="How far a dump is proved before a schema step: read to its end, "
        "or `restored` into a scratch database too, and compared with its manifest.",
    )
    keep: w.Count | None = Field(default=None, description="How many of the newest sets are kept, whatever their age.")
    keep_days: w.Count | None = Field(
        default=None,
        description="For how many days sets are kept, whatever their number. With neither, all are kept.",
    )
    within_hours: w.Count | None = Field(
        default=None,
        description="How old a set proved as far as `trust` may be before a leg's pause; none: none is asked.",
    )


class ApprovalsModel(Model):
    """How many people must say yes to a plan, by `reconciler approve` or under `approve` in git."""

    leg: w.Count | None = Field(default=None, description="How many before the leg touches what serves; none: nobody.")
    waves: w.Count | None = Field(default=None, description="How many before each wave after the canary; none: nobody.")
    by: tuple[w.Given, ...] = Field(default=(), description="Whose yes counts; none named: anybody's.")


class AcceptModel(Model):
    """A risk that somebody took, until a day."""

    what: w.Subject = Field(
        description="The risk and the service (`data-loss:`, `hold:`, or a gate, like `windows:SERVICE`); "
        "or `not-exposed:RULE`."
    )
    by: w.Given = Field(description="Who took it.")
    reason: w.GivenReason = Field(description="Why.")
    until: w.Day = Field(description="The last day on which it holds, YYYY-MM-DD.")


class QuarantineModel(Model):
    """A host that is left alone until a day: it is no target, and nobody waits for it."""

    host: w.Name = Field(description="The host.")
    by: w.Given = Field(description="Who put it there.")
    reason: w.GivenReason = Field(description="Why.")
    until: w.Day = Field(description="The last day on which it holds, YYYY-MM-DD.")


class ApproveModel(Model):
    """Somebody's yes to a plan."""

    plan: w.PlanId = Field(description="The plan's id, as `status` shows it.")
    wave: w.Count | None = Field(default=None, description="The wave it is for; none: the leg.")
    by: w.Given = Field(description="Who says yes.")
    reason: w.GivenReason = Field(description="Why.")
    until: w.Day | None = Field(default=None, description="The last day on which it counts, YYYY-MM-DD; none: any.")
