"""Lets a release's own code say, before anything stops, what would keep it from being upgraded to."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import Field

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Done, Exited, Failed, Lost, Outcome
from reconciler.domain.reasons import Reason
from reconciler.steps import Args, Evidence, command
from reconciler.steps._show import typed

KIND = "upgrade_check"
TIMEOUT_S = 600.0
REPEATABLE = True
INTERRUPTIBLE = True

OK, WARNINGS, FAILED = 0, 1, 2
"""What exit codes say; oslo.upgradecheck, oslo_upgradecheck/upgradecheck.py. Every other one is a tool that broke."""

# Without its table it is not the check that speaks: Python ends with 1 at an exception, its parser with 2.
_TABLE = re.compile(r"^\s*\|", re.MULTILINE)


class Lie(Args):
    """An answer of a release's check that is known to say nothing: its codes and, where given, its output."""

    codes: tuple[int, ...] = Field(min_length=1)
    output: str = ""
    reason: str


class Model(Args):
    """The check's argv, and what is known of its lies."""

    argv: tuple[str, ...] = Field(min_length=1)
    env: Mapping[str, str] = {}
    lies: tuple[Lie, ...] = ()


def effect(args: Model) -> HostScript:
    """Render the check, which only reads."""
    return command.effect(command.Model(argv=args.argv, env=args.env))


def shows(args: Model) -> tuple[str, ...]:
    """Show the command."""
    return (typed(args.argv, args.env),)


def proved(args: Model) -> tuple[str, ...]:
    """Say what its exit codes mean."""
    known = (f"known to say nothing: {each.reason}" for each in args.lies)
    return ("exit code 0; 1 only warns, 2 stops the leg before anything was touched", *known)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof beyond the exit code."""
    return ()


def judge(args: Model, evidence: Evidence) -> Outcome:
    """Believe the check, but where it is known to lie; a tool that broke says nothing, and is told as such."""
    match evidence.exited:
        case None:
            return Lost(Reason.STEP_LOST, "the host left no exit code")
        case Exited(code, output, _):
            said = output.strip()
            if lie := next((each for each in args.lies if _is(each, code, said)), None):
                return Done({"said": "nothing"}, f"exit code {code} says nothing here: {lie.reason}")
            if code == OK:
                return Done({"said": "ok"}, said)
            if code in {WARNINGS, FAILED} and _TABLE.search(said):
                return _told(code, said)
            return Failed(Reason.STEP_FAILED, f"exit code {code}, the check itself broke: {said or 'no output'}")


def _told(code: int, said: str) -> Outcome:
    if code == WARNINGS:
        return Done({"said": "warnings"}, f"it warns: {said}")
    hint = "Do what the check asks for, then retry; it is the new release's own word."
    return Failed(Reason.GATE_CLOSED, f"the check fails: {said}", hint)


def _is(lie: Lie, code: int, said: str) -> bool:
    return code in lie.codes and re.search(lie.output, said) is not None
