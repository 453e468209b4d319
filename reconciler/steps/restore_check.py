"""Restores a dump into a scratch database, compares it with its manifest, and drops it again."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.steps import Evidence, _dumps
from reconciler.steps._dumps import Target
from reconciler.steps._scratch import MARIADB_BODY, SQLITE_BODY

KIND = "restore_check"
TIMEOUT_S = 14400.0
REPEATABLE = True
INTERRUPTIBLE = False


class Model(Target):
    """The database, and the run whose dump of it is tried (empty: the current one).

    `manifest` is the digest of the dump's manifest, as the journal has it; empty where it has none.
    """

    run: str = Field(default="", pattern=_dumps.RUN)
    manifest: str = Field(default="", pattern=_dumps.DIGEST)


def effect(args: Model) -> HostScript:
    """Render the trial; a second attempt drops what the first one left, and begins anew."""
    script = _dumps.known_by(args.manifest, _dumps.script("restore_check", args, args.run, keep_present=False))
    return replace(script, body=SQLITE_BODY if args.engine == "sqlite" else MARIADB_BODY)


def shows(args: Model) -> tuple[str, ...]:
    """Show where the dump is loaded, and that it goes again."""
    if args.engine == "sqlite":
        scratch = args.model_copy(update={"path": f"{args.dir}/RUN/{args.service}.{args.database}.scratch"})
        return _dumps.loading(scratch, args.run), f"rm {scratch.path}"
    scratch = args.model_copy(update={"dbname": SCRATCH})
    return f"CREATE DATABASE {SCRATCH}", _dumps.loading(scratch, args.run), f"DROP DATABASE {SCRATCH}"


SCRATCH = "reconciler_DIGEST"
"""How the scratch database is called; DIGEST stands for a digest over run and database."""


def proved(_args: Model) -> tuple[str, ...]:
    """Say what is compared."""
    return ("what was restored has the structure, the tables and the rows of the dump's manifest",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script compares."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `trust`, `tables` and `rows`, or `absent`."""
    return _dumps.judge(evidence)
