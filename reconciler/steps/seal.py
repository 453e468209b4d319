"""Takes the fingerprint of a database after its last schema step, before any start."""

from __future__ import annotations

from reconciler.domain.desired import Database
from reconciler.domain.effect import Ask, AskFingerprint
from reconciler.domain.observation import Absent
from reconciler.domain.outcome import Done, Failed, Lost, Outcome
from reconciler.domain.reasons import Reason
from reconciler.steps import Args, Evidence
from reconciler.steps._judge import answer

KIND = "seal"
TIMEOUT_S = 3600.0
REPEATABLE = True
INTERRUPTIBLE = True


ABSENT = "absent"
"""The fingerprint of a database that is not there."""


class Model(Args):
    """The database to be sealed; with `absent_ok` the release also works without it."""

    service: str
    database: Database
    absent_ok: bool = False


def effect(_args: Model) -> None:
    """Change nothing: looking is all."""
    return


def shows(args: Model) -> tuple[str, ...]:
    """Show what is read."""
    return (f"read every row of {args.database.url}",)


def proved(args: Model) -> tuple[str, ...]:
    """Say what is kept."""
    return (f"a fingerprint over all rows of {args.database.name}, kept in the journal",)


def proofs(args: Model) -> tuple[Ask, ...]:
    """Ask for the fingerprint."""
    return (AskFingerprint(args.database),)


def judge(args: Model, evidence: Evidence) -> Outcome:
    """Keep the fingerprint as the value `fingerprint`."""
    if args.absent_ok and isinstance(evidence.answers.get(proofs(args)[0]), Absent):
        return Done({"fingerprint": ABSENT})
    text = f"database {args.database.name} of {args.service} does not exist and cannot be sealed"
    found = answer(evidence, proofs(args)[0], str, absent=Failed(Reason.STEP_FAILED, text))
    return found if isinstance(found, Failed | Lost) else Done({"fingerprint": found})
