"""Lets no leg begin or go on while a group is halted whose halts stop the whole fleet."""

from __future__ import annotations

from reconciler.domain.gate import Closed
from reconciler.domain.reasons import Reason, hint_of
from reconciler.gates import Case

NAME = "halts"


def judge(case: Case) -> tuple[Closed, ...]:
    """Close for every open halt of another group that stops the fleet."""
    return tuple(
        Closed(
            gate=NAME,
            reason=str(Reason.FLEET_HALTED),
            text=f"{each.group} is halted, and its halts stop the fleet ({each.id}: {each.text})",
            hint=hint_of(Reason.FLEET_HALTED, group=each.group),
        )
        for each in case.halts
    )
