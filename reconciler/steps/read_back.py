"""Reads a run's dump back once more, before anything is put back from it."""

from __future__ import annotations

from pydantic import Field

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.steps import Evidence, _dumps
from reconciler.steps._dumps import Target

KIND = "read_back"
TIMEOUT_S = 14400.0
REPEATABLE = True
INTERRUPTIBLE = True


class Model(Target):
    """The database, and the run whose dump of it is read (empty: the current one).

    `manifest` is the digest of the dump's manifest, as the journal has it; empty where it has none.
    """

    run: str = Field(default="", pattern=_dumps.RUN)
    manifest: str = Field(default="", pattern=_dumps.DIGEST)


def effect(args: Model) -> HostScript:
    """Render the reading; nothing is changed, and the database is not asked."""
    script = _dumps.script("read_back", args.model_copy(update={"password": None}), args.run, keep_present=False)
    return _dumps.known_by(args.manifest, script)


def shows(args: Model) -> tuple[str, ...]:
    """Show what is read."""
    return _dumps.reading(args, args.run)


def proved(_args: Model) -> tuple[str, ...]:
    """Say what the dump is held against."""
    return ("manifest and dump are whole, and those of then",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script reads the dump."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `path` and `sha256`, or `absent`."""
    return _dumps.judge(evidence)
