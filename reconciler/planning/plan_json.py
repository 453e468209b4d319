"""Plans in the shape of the `plan` contract. Durations stand beside a plan, and never in its digest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.domain.plan import Plan, Step
from reconciler.planning.account import account_of
from reconciler.planning.durations import Durations
from reconciler.planning.pause import Pause
from reconciler.planning.preview import Preview
from reconciler.planning.retreat import Stretch
from reconciler.planning.serial import wait_to_json
from reconciler.planning.telling import Telling, tell

NOTHING_MEASURED = Durations()


def plans_to_json(previews: Sequence[Preview], durations: Durations = NOTHING_MEASURED) -> dict[str, Any]:
    """Render plans; a group where nothing is to be done has none."""
    tellings = [
        (plan, leg, tell(plan, each.hosts, durations))
        for each, leg in legs(previews)
        if (plan := each.plan) is not None
    ]
    return {
        "changes": any(plan.steps for plan, _, _ in tellings),
        "plans": [_plan(*each) for each in tellings],
        "steps": [step for plan, _, told in tellings for step in _steps(plan, told, durations)],
    }


def legs(previews: Sequence[Preview]) -> Iterator[tuple[Preview, tuple[int, int]]]:
    """Yield each preview with which leg of its group it is, and of how many that are known."""
    totals = Counter(each.group for each in previews)
    seen: Counter[str] = Counter()
    for each in previews:
        seen[each.group] += 1
        yield each, (seen[each.group], totals[each.group])


def _plan(plan: Plan, leg: tuple[int, int], told: Telling) -> dict[str, Any]:
    return {
        "id": plan.id,
        "group": plan.group,
        "leg": leg[0],
        "legs": leg[1],
        "direction": plan.direction,
        "services": [
            {"service": each.service, "from": each.start, "to": each.goal, "route": list(each.route)}
            for each in plan.services
        ],
        "blocked": [{"reason": each.reason, "text": each.text, "hint": each.hint} for each in plan.blocked],
        "waits_for": [wait_to_json(each) for each in plan.waits_for],
        "waves": [
            {"service": w.service, "wave": w.number, "leads": w.leads, "hosts": list(w.hosts)} for w in told.waves
        ],
        "pauses": [_pause(each) for each in told.pauses],
        "point_of_no_return": told.no_return.id if told.no_return else "",
        "going_back": [_stretch(each) for each in told.stretches],
    }


def _pause(pause: Pause) -> dict[str, Any]:
    return {
        "service": pause.service,
        "chain": [step.id for step in pause.chain],
        "measured_s": round(pause.seconds, 3) if pause.measured else None,
        "unmeasured": [step.id for step in pause.unmeasured],
        "unmeasured_beside": pause.beside,
    }


def _stretch(each: Stretch) -> dict[str, Any]:
    return {
        "first": each.first.id,
        "last": each.last.id,
        "retreat": str(each.retreat),
        "text": each.text,
        "undo": [{"title": undoing.title, "hosts": list(undoing.hosts)} for undoing in each.undo],
        "loses": list(each.loses),
    }


def _steps(plan: Plan, told: Telling, durations: Durations) -> Iterator[dict[str, Any]]:
    for step in plan.steps:
        yield {
            "id": step.id,
            "plan": plan.id,
            "kind": step.kind,
            "phase": str(step.phase),
            "service": step.service,
            "hop": step.hop,
            "host": step.host,
            "after": list(step.after),
            "point_of_no_return": step.point_of_no_return,
            "title": step.title,
            "wave": step.wave,
            **_account(step),
            "users": str(told.notice[step.id]),
            "measured_s": durations.of(step),
            "timeout_s": step.timeout_s,
            "repeatable": step.repeatable,
            "interruptible": step.interruptible,
            "advisory": step.advisory,
        }


def _account(step: Step) -> dict[str, Any]:
    account = account_of(step)
    return {
        "where": account.where,
        "runs": list(account.runs),
        "proved_by": list(account.proved_by),
        "undone_by": account.undone_by,
        "undo_runs": list(account.undo_runs),
    }
