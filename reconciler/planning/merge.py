"""Compares what two desired states would have done to the same fleet: what a merge from one to the other changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from reconciler.domain.plan import Plan, Step
from reconciler.planning.plan_json import legs
from reconciler.planning.preview import Preview


class Fate(StrEnum):
    """What becomes of a plan."""

    APPEARS = "appears"
    VANISHES = "vanishes"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One leg of a group before and after, None where nothing is to be done.

    `altered` are the steps, as they would be, that bear the name of one of before and do something else. A plan that
    changes without them is made from other inputs, or waits in another order, so that an open run ends for it.
    """

    group: str
    leg: int
    before: Plan | None
    after: Plan | None
    added: tuple[Step, ...] = ()
    removed: tuple[Step, ...] = ()
    altered: tuple[Step, ...] = ()

    @property
    def fate(self) -> Fate:
        """Say in a word what becomes of the plan."""
        if self.before is None:
            return Fate.APPEARS
        return Fate.VANISHES if self.after is None else Fate.CHANGES


def changes(before: Sequence[Preview], after: Sequence[Preview]) -> tuple[Change, ...]:
    """Return the legs that differ, by group and leg."""
    old, new = _by_leg(before), _by_leg(after)
    found = (_change(group, leg, old.get((group, leg)), new.get((group, leg))) for group, leg in sorted({*old, *new}))
    return tuple(each for each in found if _id(each.before) != _id(each.after))


def _by_leg(previews: Sequence[Preview]) -> dict[tuple[str, int], Plan]:
    return {(each.group, leg): each.plan for each, (leg, _) in legs(previews) if each.plan is not None}


def _id(plan: Plan | None) -> str:
    return plan.id if plan else ""


def _change(group: str, leg: int, before: Plan | None, after: Plan | None) -> Change:
    old, new = _steps(before), _steps(after)
    return Change(
        group=group,
        leg=leg,
        before=before,
        after=after,
        added=tuple(step for name, step in new.items() if name not in old),
        removed=tuple(step for name, step in old.items() if name not in new),
        altered=tuple(step for name, step in new.items() if name in old and _does_else(step, old[name])),
    )


def _steps(plan: Plan | None) -> Mapping[str, Step]:
    return {step.id: step for step in plan.steps} if plan else {}


def _does_else(step: Step, other: Step) -> bool:
    return replace(step, after=(), hop="") != replace(other, after=(), hop="")


def hosts_of(plan: Plan | None) -> tuple[str, ...]:
    """Return the hosts that a plan touches, in its order."""
    return tuple(dict.fromkeys(step.host for step in plan.steps if step.host)) if plan else ()


# ---------------------------------------------------------------- the `merge` contract


def changes_to_json(old: str, new: str, found: Iterable[Change]) -> dict[str, Any]:
    """Render changes; `old` and `new` name the two desired states."""
    rows = [_change_json(each) for each in found]
    return {"from": old, "to": new, "differs": bool(rows), "changes": rows}


def _change_json(each: Change) -> dict[str, Any]:
    old, new = hosts_of(each.before), hosts_of(each.after)
    return {
        "group": each.group,
        "leg": each.leg,
        "change": str(each.fate),
        "before": _side(each.before),
        "after": _side(each.after),
        "added": [_step(step) for step in each.added],
        "removed": [_step(step) for step in each.removed],
        "altered": [_step(step) for step in each.altered],
        "hosts_added": [name for name in new if name not in set(old)],
        "hosts_removed": [name for name in old if name not in set(new)],
    }


def _side(plan: Plan | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    return {
        "plan": plan.id,
        "services": [
            {"service": each.service, "from": each.start, "to": each.goal, "route": list(each.route)}
            for each in plan.services
        ],
        "steps": len(plan.steps),
        "blocked": [{"reason": each.reason, "text": each.text, "hint": each.hint} for each in plan.blocked],
        "point_of_no_return": next((step.id for step in plan.steps if step.point_of_no_return), ""),
    }


def _step(step: Step) -> dict[str, Any]:
    return {"id": step.id, "phase": str(step.phase), "host": step.host, "title": step.title}
