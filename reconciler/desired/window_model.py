"""The form of maintenance windows and freezes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import Field, model_validator

from reconciler.desired import words as w
from reconciler.desired.model import Model

SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)
"""From where a cron expression is tried: whether it ever comes true does not hang on it."""

MAX_H = 168
"""A window lasts a week at most; what lasts longer is no window but a rule."""


def _cron(text: str) -> str:
    if not text:
        return text
    try:
        next(CronSim(text, SOME_DAY))
    except (CronSimError, StopIteration):
        raise ValueError("must be a cron expression of five fields that ever comes true, like '0 22 * * 1-5'") from None
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise ValueError("must be a time zone of the IANA list, like Europe/Berlin or UTC") from None
    return text


Cron = Annotated[str, w.Kind(_cron, {"type": "string"})]
Zone = Annotated[str, w.Kind(_zone, {"type": "string"})]
Hours = Annotated[float, w.number(float, r"[0-9]{1,3}(\.[0-9]{1,3})?", "a number of hours up to 999", "number")]


class WindowModel(Model):
    """A time in which legs may begin and go on, or must not: by `cron` and `duration_h`, or `from` and `until`."""

    effect: Literal["allow", "deny"] = Field(
        description="`allow`: nothing begins outside such windows; `deny`: nothing begins inside, whatever allows it."
    )
    zone: Zone = Field(description="The time zone of cron and days, by its IANA name.")
    cron: Cron = Field(default="", description="When it begins, again and again: five fields of cron.")
    duration_h: Hours = Field(default=0.0, description="How many hours it lasts; with `cron`.")
    first: w.Day | None = Field(default=None, alias="from", description="Its first day, YYYY-MM-DD, instead of `cron`.")
    last: w.Day | None = Field(default=None, alias="until", description="Its last day, YYYY-MM-DD.")
    groups: tuple[w.Name, ...] = Field(default=(), description="Only for these groups; default: all.")
    overrun: w.Flag = Field(
        default=False, description="`true`: a leg that has begun goes on after the end of a window that allows."
    )

    @model_validator(mode="after")
    def _is_one_form(self) -> Self:
        recurring, days = bool(self.cron), self.first is not None or self.last is not None
        if recurring == days:
            raise ValueError("must have either cron and duration_h, or from and until")
        if recurring and not 0 < self.duration_h <= MAX_H:
            raise ValueError(f"must say in duration_h how many hours it lasts, up to {MAX_H}")
        if days and (self.first is None or self.last is None or self.first > self.last):
            raise ValueError("must have both from and until, the earlier day first")
        return self
