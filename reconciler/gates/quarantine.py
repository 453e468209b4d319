"""Lets a service's schema be changed offline, or rows be put back, only while no quarantined host still serves it."""

from __future__ import annotations

from reconciler.domain.gate import Closed, Holds
from reconciler.domain.quarantine import Aside
from reconciler.domain.reasons import Reason, hint_of
from reconciler.gates import Case

NAME = "quarantine"
BACK = True
"""What a host in quarantine goes on writing is lost by a restore, and what is restored is not what was dumped."""


def judge(case: Case) -> tuple[Closed, ...]:
    """Close for each such host before the pause, and right before schema steps and restores until it was asked again.

    One that does not answer is closed for by nobody: that it is off is what its quarantine says.
    """
    return tuple(closed for each in case.aside if (closed := _of(each, case)))


def _of(each: Aside, case: Case) -> Closed | None:
    if each.runs:
        text = f"{each.host} is in quarantine and still runs {each.service}: {', '.join(each.runs)}"
        return _closed(Reason.QUARANTINED_SERVING, text, each.host, case)
    if each.since is not None and (each.asked is None or each.asked < each.since):
        text = f"{each.host} is in quarantine and is asked whether it still runs {each.service}"
        return _closed(Reason.HOST_NOT_ASKED, text, each.host, case)
    return None


def _closed(reason: Reason, text: str, host: str, case: Case) -> Closed:
    holds = Holds.SCHEMA if case.begun else Holds.SERVING
    return Closed(gate=NAME, reason=str(reason), text=text, hint=hint_of(reason, host=host), holds=holds)
