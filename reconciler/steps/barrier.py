"""Does nothing, once everything that it waits for is done."""

from __future__ import annotations

from pydantic import Field

from reconciler.domain.effect import Ask
from reconciler.domain.outcome import Done, Outcome
from reconciler.steps import Args, Evidence

KIND = "barrier"
TIMEOUT_S = 60.0
REPEATABLE = True
INTERRUPTIBLE = True
CROWD = 50
"""More steps than these are waited for by a barrier: each host waiting for every other would be their square."""


class Model(Args):
    """How many steps it waits for; they stand in its `after`."""

    waits_for: int = Field(ge=1)


def effect(_args: Model) -> None:
    """Change nothing: to be begun is all."""
    return


def shows(args: Model) -> tuple[str, ...]:
    """Show that nothing runs."""
    return (f"nothing; {args.waits_for} steps, side by side, must be done first",)


def proved(_args: Model) -> tuple[str, ...]:
    """Say why it cannot be begun too early."""
    return ("all that it waits for is done, proved",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Ask nothing: what it waits for was proved step by step."""
    return ()


def judge(args: Model, _evidence: Evidence) -> Outcome:
    """Be done."""
    return Done({}, f"{args.waits_for} steps are done")
