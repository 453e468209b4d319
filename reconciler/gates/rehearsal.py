"""Lets a leg touch what serves only after its walk was rehearsed, where git asks for that."""

from __future__ import annotations

from reconciler.domain.gate import Closed, Holds
from reconciler.domain.reasons import Reason, hint_of
from reconciler.gates import Case

NAME = "rehearsal"


def judge(case: Case) -> tuple[Closed, ...]:
    """Close for every service of the leg whose walk was not rehearsed, or failed."""
    if case.begun:
        return ()
    return tuple(_closed(service, state) for service, state in sorted(case.rehearsals.items()) if state != "passed")


def _closed(service: str, state: str) -> Closed:
    said = {"": "was not rehearsed yet", "running": "is being rehearsed", "failed": "failed when it was rehearsed"}
    return Closed(
        gate=NAME,
        reason=str(Reason.REHEARSAL_MISSING),
        text=f"the walk of {service}'s databases {said[state]}",
        hint=hint_of(Reason.REHEARSAL_MISSING).replace("SERVICE", service),
        holds=Holds.SERVING,
    )
