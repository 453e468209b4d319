"""Runs a release's online data migrations on the bootstrap host, round after round, until nothing is left."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import Field

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Done, Exited, Failed, Lost, Outcome
from reconciler.domain.reasons import Reason
from reconciler.steps import Args, Evidence, row_gate
from reconciler.steps._shell import PRELUDE
from reconciler.steps._show import typed

KIND = "backfill"
TIMEOUT_S = 14400.0
REPEATABLE = True  # every round begins with what is left
INTERRUPTIBLE = False

ENDLESS, BROKEN = 75, 70  # exit codes of the script, as in sysexits.h: try again later, internal error

BODY = (
    PRELUDE
    + r"""
cwd=$1 rounds=$2 ended=$3 more=$4
shift 4
[ -z "$cwd" ] || cd -- "$cwd"
round=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    printf 'round %s of at most %s\n' "$round" "$rounds"
    code=0
    "$@" || code=$?
    case " $ended " in *" $code "*)
        value rounds "$round"
        exit 0 ;;
    esac
    case " $more " in *" $code "*) continue ;; esac
    value rounds "$round"
    value code "$code"
    exit 70
done
value rounds "$round"
exit 75
"""
)

_ROUND = re.compile(r"^round \d+ of at most \d+$", re.MULTILINE)
# What nova, cinder and placement print: | name of the migration | rows needed | rows completed |
_LINE = re.compile(r"^\s*\|\s*[\w.]+\s*\|\s*([0-9]{1,18})\s*\|\s*([0-9]{1,18})\s*\|\s*$", re.MULTILINE)


class Model(Args):
    """The command and what its exit codes mean: `ended` nothing is left, `more` run it again; any other is an error.

    `opens` are the gates that must be open afterwards, because this very code opens them. At most `rounds` rounds.
    """

    service: str
    release: str
    argv: tuple[str, ...] = Field(min_length=1)
    env: Mapping[str, str] = {}
    cwd: str = ""
    ended: tuple[int, ...] = Field(default=(0,), min_length=1)
    more: tuple[int, ...] = (1,)
    rounds: int = Field(default=100, ge=1)
    opens: tuple[row_gate.Model, ...] = ()


def effect(args: Model) -> HostScript:
    """Render the rounds."""
    return HostScript(
        body=BODY,
        args=(args.cwd, str(args.rounds), _words(args.ended), _words(args.more), *args.argv),
        env=args.env,
    )


def _words(codes: tuple[int, ...]) -> str:
    return " ".join(str(code) for code in codes)


def proofs(args: Model) -> tuple[Ask, ...]:
    """Ask for the rows that must be gone now."""
    return tuple(ask for gate in args.opens for ask in row_gate.proofs(gate))


def proved(args: Model) -> tuple[str, ...]:
    """Say what proves that nothing is left: the exit code, and the gates that are open now."""
    return (
        f"exit code {_words(args.ended)} of the last round",
        *(f"no row of {gate.rule} left in {gate.database.name} ({gate.probe.key})" for gate in args.opens),
    )


def shows(args: Model) -> tuple[str, ...]:
    """Show the command, and when it is run again."""
    return (f"{typed(args.argv, args.env, args.cwd)}  # again while it exits {_words(args.more) or 'never'}",)


def judge(args: Model, evidence: Evidence) -> Outcome:
    """Follow the exit code, and believe that nothing is left only when no gate finds a row."""
    match evidence.exited:
        case None:
            return Lost(Reason.STEP_LOST, "the host left no exit code")
        case Exited(0, output, values):
            return _proved(args, evidence, output, values)
        case Exited(code, output, values):
            return _failed(args, code, output, values)


def _proved(args: Model, evidence: Evidence, output: str, values: Mapping[str, str]) -> Outcome:
    for gate in args.opens:
        found = row_gate.judge(gate, evidence)
        if not isinstance(found, Done):
            return found
    left = _left(output)
    rounds = values.get("rounds", "")
    text = f"rounds: {rounds}" if not left else f"rounds: {rounds}; {left} rows could not be migrated by this code"
    return Done({"rounds": rounds, "left": str(left)}, text)


def _left(output: str) -> int:
    """Read from the tool's last table how many rows it needed to migrate and did not; none without a table."""
    last = _ROUND.split(output)[-1]
    return sum(max(0, int(needed) - int(completed)) for needed, completed in _LINE.findall(last))


def _failed(args: Model, code: int, output: str, values: Mapping[str, str]) -> Failed:
    rounds = values.get("rounds", "?")
    said = output.strip() or "no output"
    if code == ENDLESS:
        text = f"after {rounds} rounds {args.argv[0]} still says that more is left: {said}"
        return Failed(Reason.STEP_FAILED, text, f"`reconciler retry {args.service}` goes on where it stopped.")
    hint = f"Mend what it complains of, with {args.release}'s code; then `reconciler retry {args.service}`."
    return Failed(Reason.STEP_FAILED, f"exit code {values.get('code', code)} in round {rounds}: {said}", hint)
