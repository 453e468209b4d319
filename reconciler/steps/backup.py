"""Dumps a database into the run's folder, and reads the dump back."""

from __future__ import annotations

from dataclasses import replace

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.steps import Evidence, _dumps
from reconciler.steps._dumps import Target

KIND = "backup"
TIMEOUT_S = 14400.0
REPEATABLE = True
INTERRUPTIBLE = False


class Model(Target):
    """The database and the folder in which DIR/RUN/SERVICE.DATABASE.sqlite or .sql.gz is made.

    `master_data` (MariaDB) writes the server's place in its binary log into the dump, as a comment.
    """

    master_data: bool = False


def effect(args: Model) -> HostScript:
    """Render the dump; a second attempt keeps the first one's."""
    script = _dumps.script("backup", args, "", keep_present=False)
    return replace(script, env={"MASTER_DATA": "yes"}) if args.master_data else script


def shows(args: Model) -> tuple[str, ...]:
    """Show the dump."""
    return (_dumps.dumping(args, options=("--master-data=2",) if args.master_data else ()),)


def proved(_args: Model) -> tuple[str, ...]:
    """Say what is done with the dump before it counts."""
    return ("the dump is read back, and its checksum kept beside it",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script reads the dump back."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `path`, `sha256`, `bytes` and `trust`, or `absent`."""
    return _dumps.judge(evidence)
