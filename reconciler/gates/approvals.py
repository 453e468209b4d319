"""Lets a leg touch what serves, and each wave begin, once as many people have said yes to the plan as git asks for."""

from __future__ import annotations

from reconciler.domain.gate import Closed, Holds
from reconciler.domain.reasons import TEXTS, Reason
from reconciler.gates import Case

NAME = "approvals"


def judge(case: Case) -> tuple[Closed, ...]:
    """Close while a yes is missing; one to another plan does not count, nor one by somebody whom git does not name."""
    policy = case.desired.approvals.get(case.group)
    if policy is None:
        return ()
    needed = policy.waves if case.begun else policy.leg
    if case.begun and not case.wave:
        return ()
    wave = case.wave if case.begun else None
    fitting = [each for each in case.approvals if (each.plan, each.wave) == (case.plan, wave)]
    said = [each for each in fitting if each.run in {"", case.run} and (not policy.by or each.by in policy.by)]
    counted = {each.by for each in said if each.until is None or case.now.date() <= each.until}
    over = {f"that of {each.by} ended with {each.until}" for each in said if each.by not in counted}
    return () if len(counted) >= needed else (_missing(case, wave, sorted(counted), sorted(over)),)


def _missing(case: Case, wave: int | None, said: list[str], over: list[str]) -> Closed:
    what = f"plan {case.plan}" if wave is None else f"wave {wave} of plan {case.plan}"
    policy = case.desired.approvals[case.group]
    needed = policy.leg if wave is None else policy.waves
    named = "; ".join(filter(None, (", ".join(said), *over)))
    people = f" ({named})" if named else ""
    option = "" if wave is None else f" --wave {wave}"
    return Closed(
        gate=NAME,
        reason=str(Reason.APPROVAL_MISSING),
        text=f"{what} of {case.group} has {len(said)} of {needed} approvals{people}",
        hint=TEXTS[Reason.APPROVAL_MISSING][1].replace("PLAN", f"{case.plan}{option}"),
        holds=Holds.SERVING,
    )
