"""Asks, before anything is stopped, whether the dumps of a run will fit into their folder."""

from __future__ import annotations

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.steps import Evidence, _dumps
from reconciler.steps._dumps import Target

KIND = "space"
TIMEOUT_S = 600.0
REPEATABLE = True
INTERRUPTIBLE = True


class Model(Target):
    """The database whose size is asked for, and the folder in which its dump will lie."""


def effect(args: Model) -> HostScript:
    """Render the questions; the answer is noted for those that ask after it in the same run."""
    return _dumps.script("space", args, "", keep_present=False)


def shows(args: Model) -> tuple[str, ...]:
    """Show what is asked."""
    data = args.path if args.engine == "sqlite" else f"data and indexes of {args.dbname}"
    return (f"compare the size of {data} with what is free in {args.dir}",)


def proved(_args: Model) -> tuple[str, ...]:
    """Say what is compared."""
    return ("the data of all databases of this run would fit there, with a fifth to spare",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script compares."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `wanted` and `free` in KiB, or `absent`."""
    return _dumps.judge(evidence)
