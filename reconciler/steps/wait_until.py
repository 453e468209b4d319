"""Waits on a host until a condition holds, or its deadline is over."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.domain.probe import ProbeName
from reconciler.steps import Evidence, Where, _probe
from reconciler.steps._judge import by_exit
from reconciler.steps._probe import ASK, Question
from reconciler.steps._shell import PRELUDE

KIND = "wait_until"
WHERE: Where = "host"
PROBES = frozenset({"probe"})
TIMEOUT_S = 86400.0  # above the longest deadline: the deadline is the limit
REPEATABLE = True
INTERRUPTIBLE = True

BODY = (
    PRELUDE
    + ASK
    + r"""
wanted=$1 interval=$2 patience=$3
shift 3
began=$(date +%s) row=0
while :; do
  if ask "$@"; then row=$((row + 1)); else row=0; fi
  waited=$(($(date +%s) - began))
  if [ "$row" -ge "$wanted" ]; then break; fi
  [ "$waited" -lt "$patience" ] || fail "not so after $waited s; last: $said"
  sleep "$interval"
done
value waited_s "$waited"
value said "$said"
echo "good $row times in a row after $waited s; last: $said"
"""
)


class Model(Question):
    """The question, how often in a row it must be good, and the deadline.

    `person` says what somebody has to do until then: a manual step that the host proves.
    """

    good: int = Field(default=1, ge=1, le=1000)
    interval_s: int = Field(default=2, ge=1, le=3600)
    deadline_s: int = Field(default=600, ge=1, le=82800)
    person: str = ""


class Form(Model):
    """What a procedure says of it: the question of a host, or the name of a probe, which says itself what is good."""

    probe: ProbeName = ProbeName("")

    @model_validator(mode="after")
    def _one(self) -> Self:
        _probe.one_of(self, self.probe, {"good", "interval_s", "deadline_s"})
        return self


def effect(args: Model) -> HostScript:
    """Render the question as whole arguments."""
    return HostScript(body=BODY, args=(str(args.good), str(args.interval_s), str(args.deadline_s), *_probe.words(args)))


def shows(args: Model) -> tuple[str, ...]:
    """Show what is asked, and how often; before it, what a person has to do."""
    until = f"until good {args.good} times in a row" if args.good > 1 else "until good"
    often = f"every {args.interval_s} s {until}, {args.deadline_s} s at most"
    return *args.person.splitlines(), _probe.asked(args, often)


def title(args: Model) -> str:
    """Name the condition."""
    wait = f"wait until {_probe.briefly(args)}"
    return f"by hand: {args.person.splitlines()[0][:100]}; {wait}" if args.person else wait


def undo(_args: Model) -> None:
    """Have nothing to take back."""
    return


def proved(_args: Model) -> tuple[str, ...]:
    """Say what the script reads back."""
    return ("the answer that was waited for, in time",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: waiting is asking."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `waited_s` and `said`, the last answer."""
    return by_exit(evidence, hint="Ask the same by hand on the host; the deadline may be too short.")
