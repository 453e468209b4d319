"""Puts a whole database back from a run's dump."""

from __future__ import annotations

from pydantic import Field

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.steps import Evidence, _dumps
from reconciler.steps._dumps import Target

KIND = "restore"
TIMEOUT_S = 14400.0
REPEATABLE = True
INTERRUPTIBLE = False


class Model(Target):
    """The database, the run whose dump it is put back from (empty: the current one), and what to do with the present.

    `manifest` is the digest of the dump's manifest, as the journal has it; empty where it has none.
    `keep_present` dumps what is there now into the current run's folder first, as SERVICE.DATABASE.present.
    """

    run: str = Field(default="", pattern=_dumps.RUN)
    manifest: str = Field(default="", pattern=_dumps.DIGEST)
    keep_present: bool = True


def effect(args: Model) -> HostScript:
    """Render the restore; a second attempt begins anew, and keeps what the first one kept of the present."""
    script = _dumps.script("restore", args, args.run, keep_present=args.keep_present)
    return _dumps.known_by(args.manifest, script)


def shows(args: Model) -> tuple[str, ...]:
    """Show what is kept of the present, what goes, and what is loaded."""
    kept = (_dumps.dumping(args, ".present"),) if args.keep_present else ()
    gone = (f"drop every table, view, routine and event of {args.dbname}",) if args.engine == "mariadb" else ()
    return *kept, *gone, _dumps.loading(args, args.run)


def proved(_args: Model) -> tuple[str, ...]:
    """Say what the dump is held against."""
    return ("manifest and dump are those of then, and the dump loads to its end",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof here: a later step compares marker or fingerprint."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `path` and `sha256` or `absent`, and `present` where that was kept."""
    return _dumps.judge(evidence)
