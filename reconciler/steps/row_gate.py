"""Asks a database, as it is now, for the rows that a migration will not pass."""

from __future__ import annotations

import shlex

from reconciler.domain.desired import Database
from reconciler.domain.effect import Ask, AskRows
from reconciler.domain.outcome import Done, Failed, Lost, Outcome
from reconciler.domain.reasons import Reason
from reconciler.domain.row_probe import RowProbe, Rows
from reconciler.steps import Args, Evidence
from reconciler.steps._judge import answer

KIND = "row_gate"
TIMEOUT_S = 600.0
REPEATABLE = True
INTERRUPTIBLE = True


class Model(Args):
    """The rule whose gate this is, the question, and how rows are got out of the way.

    `cure` is the command as it can be typed, empty where only a person can mend the rows; `cured_by` are the releases
    whose code has it, in words.
    """

    service: str
    rule: str
    database: Database
    probe: RowProbe
    reason: str
    meet: str
    cure: tuple[str, ...] = ()
    cured_by: str = ""


def effect(_args: Model) -> None:
    """Change nothing: looking is all."""
    return


def proved(args: Model) -> tuple[str, ...]:
    """Say what opens the gate."""
    return (f"no row found in {args.database.name} that stands in the way ({args.probe.key})",)


def proofs(args: Model) -> tuple[Ask, ...]:
    """Ask for the rows."""
    return (AskRows(args.database, args.probe),)


def shows(args: Model) -> tuple[str, ...]:
    """Show the question."""
    return (args.probe.sql,)


def judge(args: Model, evidence: Evidence) -> Outcome:
    """Let nobody through while there are rows; a database that does not exist yet holds none."""
    where = f"database {args.database.name} of {args.service}"
    found = answer(evidence, proofs(args)[0], Rows, absent=_absent(where))
    if isinstance(found, Lost):
        return found
    if isinstance(found, Failed):
        return Done({"rows": "0"}, found.text)
    if found.count:
        return closed(args, found)
    if found.missing:
        return Done({"rows": "0"}, f"{where} has no table {found.missing[0]}: {args.rule} does not apply")
    return Done({"rows": "0"}, f"{where}: no row stands in the way of {args.rule}")


def _absent(where: str) -> Failed:
    return Failed(Reason.GATE_CLOSED, f"{where} does not exist yet, so no row is in the way")


def closed(args: Model, found: Rows) -> Failed:
    """Tell which rows are in the way, and what takes them out of it."""
    more = ", ..." if found.count > len(found.sample) else ""
    rows = f"{found.count} {'row stands' if found.count == 1 else 'rows stand'} in the way"
    text = (
        f"database {args.database.name} of {args.service}: {rows} ({args.probe.key}: {', '.join(found.sample)}{more})"
    )
    return Failed(Reason.GATE_CLOSED, f"{text}. {args.reason} ({args.rule})", _hint(args))


def _hint(args: Model) -> str:
    by = f" with {args.cured_by} code" if args.cured_by else ""
    run = f"Run `{shlex.join(args.cure)}`{by}: " if args.cure else ""
    return f"{run}{args.meet} Then `reconciler retry {args.service}`."
