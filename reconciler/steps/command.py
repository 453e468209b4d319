"""Runs a command of a procedure on a host; its exit code is the judge."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.steps import Args, Evidence
from reconciler.steps._judge import by_exit
from reconciler.steps._show import typed

KIND = "command"
TIMEOUT_S = 600.0
REPEATABLE = False  # what a procedure runs is unknown here; the planner may know better
INTERRUPTIBLE = False

BODY = r"""set -eu
[ -z "$1" ] || cd -- "$1"
shift
exec "$@"
"""


class Model(Args):
    """An argv list, never a shell string; `ok` are the exit codes that mean done."""

    argv: tuple[str, ...] = Field(min_length=1)
    env: Mapping[str, str] = {}
    cwd: str = ""
    ok: tuple[int, ...] = Field(default=(0,), min_length=1)


def effect(args: Model) -> HostScript:
    """Render the command, each element of argv as one argument."""
    return HostScript(body=BODY, args=(args.cwd, *args.argv), env=args.env)


def as_argv(args: Model) -> tuple[str, ...]:
    """Write the command as an argv that brings its environment and its folder along."""
    moved = ("sh", "-c", 'cd -- "$0" && exec "$@"', args.cwd) if args.cwd else ()
    named = ("env", *(f"{name}={value}" for name, value in args.env.items())) if args.env else ()
    return (*moved, *named, *args.argv)


def shows(args: Model) -> tuple[str, ...]:
    """Show the command."""
    return (typed(args.argv, args.env, args.cwd),)


def proved(args: Model) -> tuple[str, ...]:
    """Name the exit codes that mean done."""
    return (f"exit code {' or '.join(map(str, args.ok))}",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof beyond the exit code."""
    return ()


def judge(args: Model, evidence: Evidence) -> Outcome:
    """Compare the exit code with those that mean done."""
    return by_exit(evidence, args.ok)
