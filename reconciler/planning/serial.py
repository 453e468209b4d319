"""Turns plans and outcomes into JSON values for the journal, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.domain.outcome import Done, Failed, Lost, Outcome
from reconciler.domain.plan import Block, Json, Plan, ServiceRoute, Step, Undo, Wait
from reconciler.domain.procedure import CutsLink, Phase

_PLAN = frozenset(
    {
        *("id", "group", "inputs", "direction", "undoes", "inherits"),
        *("services", "steps", "checks_back", "blocked", "waits_for"),
    }
)


def plan_to_json(plan: Plan) -> dict[str, Json]:
    """Render a whole plan."""
    return {
        "id": plan.id,
        "group": plan.group,
        "inputs": plan.inputs,
        "direction": plan.direction,
        "undoes": plan.undoes,
        "inherits": plan.inherits,
        "services": [
            {
                "service": s.service,
                "start": s.start,
                "goal": s.goal,
                "route": list(s.route),
                "onto": list(s.onto),
                "off": list(s.off),
            }
            for s in plan.services
        ],
        "steps": [step_to_json(step) for step in plan.steps],
        "checks_back": [step_to_json(step) for step in plan.checks_back],
        "blocked": [{"reason": b.reason, "text": b.text, "hint": b.hint} for b in plan.blocked],
        "waits_for": [wait_to_json(each) for each in plan.waits_for],
    }


def wait_to_json(wait: Wait) -> dict[str, Json]:
    """Render what a leg waits for."""
    return {"group": wait.group, "leg": wait.leg, "rule": wait.rule, "text": wait.text, "others": wait.others}


def plan_from_json(data: Mapping[str, Any]) -> Plan:
    """Read what `plan_to_json` wrote; raises ValueError where it says more."""
    if more := data.keys() - _PLAN:
        raise ValueError(f"a plan has no {', '.join(sorted(more))}")
    return Plan(
        id=data["id"],
        group=data["group"],
        inputs=data["inputs"],
        direction=data["direction"],
        undoes=data["undoes"],
        inherits=data["inherits"],
        services=tuple(
            ServiceRoute(
                service=s["service"],
                start=s["start"],
                goal=s["goal"],
                route=tuple(s["route"]),
                onto=tuple(s["onto"]),
                off=tuple(s["off"]),
            )
            for s in data["services"]
        ),
        steps=steps_from_json(data["steps"]),
        checks_back=steps_from_json(data["checks_back"]),
        blocked=tuple(Block(b["reason"], b["text"], b["hint"]) for b in data["blocked"]),
        waits_for=tuple(Wait(**each) for each in data.get("waits_for", ())),
    )


def step_to_json(step: Step) -> dict[str, Json]:
    """Render one step."""
    return {
        "id": step.id,
        "kind": step.kind,
        "phase": str(step.phase),
        "service": step.service,
        "title": step.title,
        "hop": step.hop,
        "host": step.host,
        "wave": step.wave,
        "leads": step.leads,
        "args": dict(step.args),
        "after": list(step.after),
        "undo": None if step.undo is None else _undo_to_json(step.undo),
        "timeout_s": step.timeout_s,
        "repeatable": step.repeatable,
        "interruptible": step.interruptible,
        "point_of_no_return": step.point_of_no_return,
        "name": step.name,
        "advisory": step.advisory,
        **({"cuts_link": _guard_to_json(step.cuts_link)} if step.cuts_link else {}),
    }


def _guard_to_json(guard: CutsLink) -> dict[str, Json]:
    again: dict[str, Json] = {"again": list(guard.again)} if guard.again else {}
    return {"revert": list(guard.revert), "within_s": guard.within_s, **again}


def _undo_to_json(undo: Undo) -> dict[str, Json]:
    also: list[Json] = [_undo_to_json(each) for each in undo.also]
    return {"kind": undo.kind, "args": dict(undo.args), "title": undo.title, "also": also}


def steps_from_json(data: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Read steps."""
    return tuple(_step(item) for item in data)


def _step(data: Mapping[str, Any]) -> Step:
    fields = dict(data) | {
        "phase": Phase(data["phase"]),
        "after": tuple(data["after"]),
        "undo": None if data["undo"] is None else _undo(data["undo"]),
    }
    if guard := data.get("cuts_link"):
        fields["cuts_link"] = CutsLink(tuple(guard["revert"]), guard["within_s"], tuple(guard.get("again", ())))
    return Step(**fields)


def _undo(data: Mapping[str, Any]) -> Undo:
    return Undo(data["kind"], data["args"], data["title"], tuple(_undo(each) for each in data["also"]))


def outcome_to_json(outcome: Outcome) -> dict[str, Json]:
    """Render an outcome."""
    match outcome:
        case Done(values, text):
            return {"outcome": "done", "values": dict(values), "text": text}
        case Failed(reason, text, hint):
            return {"outcome": "failed", "reason": reason, "text": text, "hint": hint}
        case Lost(reason, text):
            return {"outcome": "lost", "reason": reason, "text": text}


def outcome_from_json(data: Mapping[str, Any]) -> Outcome:
    """Read what `outcome_to_json` wrote."""
    match data["outcome"]:
        case "done":
            return Done(data["values"], data["text"])
        case "failed":
            return Failed(data["reason"], data["text"], data["hint"])
        case "lost":
            return Lost(data["reason"], data["text"])
        case other:
            raise ValueError(f"no step ends as {other!r}")
