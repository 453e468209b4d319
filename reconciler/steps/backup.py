"""Dumps a database into the run's folder, and reads the dump back."""

from __future__ import annotations

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.steps import Evidence, _dumps
from reconciler.steps._dumps import Target

KIND = "backup"
TIMEOUT_S = 14400.0
REPEATABLE = True
INTERRUPTIBLE = False


class Model(Target):
    """The database and the folder in which DIR/RUN/SERVICE.DATABASE.sqlite or .sql.gz is made."""


def effect(args: Model) -> HostScript:
    """Render the dump; a second attempt keeps the first one's."""
    return _dumps.script("backup", args, "", keep_present=False)


def shows(args: Model) -> tuple[str, ...]:
    """Show the dump."""
    return (_dumps.dumping(args),)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script reads the dump back."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `path`, `sha256`, `bytes` and `trust`, or `absent`."""
    return _dumps.judge(evidence)
