"""Lets no host be brought back to its build over and over: somebody or something else changes it, too."""

from __future__ import annotations

from datetime import timedelta

from reconciler.domain.gate import Closed
from reconciler.domain.reasons import Reason, hint_of
from reconciler.gates import Case

NAME = "repeats"

TIMES = 3
"""How often a host may be brought back to its build within `WITHIN`; once or twice that is the daemon's work."""

WITHIN = timedelta(hours=24)


def judge(case: Case) -> tuple[Closed, ...]:
    """Close for the hosts that have left often what they were brought to; time opens it again."""
    if case.begun:
        return ()
    recent = {host: [at for at in ends if case.now - at < WITHIN] for host, ends in case.moved.items()}
    often = {host: ends for host, ends in recent.items() if len(ends) >= TIMES}
    if not often:
        return ()
    text = f"{', '.join(sorted(often))}: brought back to the build {TIMES} times within a day, and left it again"
    return (
        Closed(
            gate=NAME,
            reason=str(Reason.DRIFT_REPEATS),
            text=text,
            hint=hint_of(Reason.DRIFT_REPEATS),
            until=max(sorted(ends)[-TIMES] for ends in often.values()) + WITHIN,
        ),
    )
