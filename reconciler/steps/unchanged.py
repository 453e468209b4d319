"""Proves that nothing was written to a database since it was sealed."""

from __future__ import annotations

from pydantic import Field

from reconciler.domain.desired import Database
from reconciler.domain.effect import Ask, AskFingerprint
from reconciler.domain.outcome import Done, Failed, Lost, Outcome
from reconciler.domain.reasons import Reason
from reconciler.steps import Args, Evidence
from reconciler.steps._judge import answer
from reconciler.steps.seal import ABSENT

KIND = "unchanged"
TIMEOUT_S = 3600.0
REPEATABLE = True
INTERRUPTIBLE = True


class Model(Args):
    """The arguments of the seal, and the fingerprint that it left."""

    service: str
    database: Database
    fingerprint: str = Field(min_length=1)
    absent_ok: bool = False


def effect(_args: Model) -> None:
    """Change nothing: looking is all."""
    return


def shows(args: Model) -> tuple[str, ...]:
    """Show what is read and compared."""
    return (f"read every row of {args.database.url} and compare with {args.fingerprint}",)


def proved(args: Model) -> tuple[str, ...]:
    """Say what is compared."""
    return (f"the fingerprint over all rows of {args.database.name} is that of the seal",)


def proofs(args: Model) -> tuple[Ask, ...]:
    """Ask for the fingerprint of now."""
    return (AskFingerprint(args.database),)


def judge(args: Model, evidence: Evidence) -> Outcome:
    """Compare: what differs was written since, and what cannot be proved is not taken for unwritten."""
    name = f"database {args.database.name} of {args.service}"
    hint = f"Add an `accept` entry `data-loss:{args.service}` to git if what was written may be lost."
    gone = Failed(Reason.WRITTEN_SINCE, f"{name} does not exist any more", hint)
    found = answer(evidence, proofs(args)[0], str, absent=gone)
    if found is gone and args.fingerprint == ABSENT:
        return Done({}, f"{name} is not there, as when it was sealed")
    if isinstance(found, Failed | Lost):
        return found
    if found != args.fingerprint:
        return Failed(Reason.WRITTEN_SINCE, f"{name} was written since it was sealed", hint)
    return Done({}, f"{name} is equal to its seal")
