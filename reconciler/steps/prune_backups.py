"""Removes older backup sets of a service from the host where they were made."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Done, Outcome
from reconciler.steps import Args, Evidence, _dumps
from reconciler.steps._judge import by_exit
from reconciler.steps._shell import PRELUDE
from reconciler.steps._show import typed

KIND = "prune_backups"
TIMEOUT_S = 3600.0
REPEATABLE = True
INTERRUPTIBLE = True

# What is gone already counts as removed: the attempt that removed it may have been lost.
BODY = (
    PRELUDE
    + r"""
dir=$1
shift
removed='' freed=0
for file; do
  run=${file%%/*}
  for each in "$dir/$file" "$dir/$file.sha256" "$dir/$file.json"; do
    [ ! -f "$each" ] || freed=$((freed + $(wc -c <"$each")))
    rm -f -- "$each"
  done
  rmdir -- "$dir/$run" 2>/dev/null || :
  case " $removed " in *" $run "*) ;; *) removed="$removed${removed:+ }$run" ;; esac
done
value removed "$removed"
value freed "$freed"
echo "removed the sets of $removed: $freed bytes"
"""
)

File = Annotated[str, Field(pattern=r"^[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*$")]


class Model(Args):
    """The service, the folder of its dumps, and what policy keeps: the newest `keep`, and all of the last `keep_days`.

    `files` are RUN/FILE in that folder; they are named when the step begins, by what the journal knows then.
    """

    service: str = Field(pattern=_dumps.WORD)
    dir: str = Field(pattern="^/")
    keep: int | None = Field(default=None, ge=1)
    keep_days: int | None = Field(default=None, ge=1)
    files: tuple[File, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.keep is None and self.keep_days is None:
            raise ValueError("say how many sets are kept, or for how many days")
        return self


def effect(args: Model) -> HostScript | None:
    """Render the removal; nothing is done where nothing is due."""
    return HostScript(body=BODY, args=(args.dir, *args.files)) if args.files else None


def shows(args: Model) -> tuple[str, ...]:
    """Show what goes."""
    if not args.files:
        return (f"remove what is older {words(args)}, and is nobody's way back, from {args.dir}",)
    return tuple(typed(("rm", "-f", f"{args.dir}/{file}")) for file in args.files)


def words(args: Model) -> str:
    """Say what policy keeps."""
    number = [f"than the {args.keep} newest sets of {args.service}"] if args.keep else []
    days = [f"than {args.keep_days} days"] if args.keep_days else []
    return " and ".join(number + days)


def proved(_args: Model) -> tuple[str, ...]:
    """Say what proves it."""
    return ("the files are not there any more",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script removes, or fails."""
    return ()


def judge(args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `removed`, the runs whose sets went, and `freed` in bytes."""
    return by_exit(evidence) if args.files else Done({}, "no set is due")
