"""Gives a tree of files to another owner, and gives each file back to whose it was."""

from __future__ import annotations

from pydantic import Field

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.domain.plan import Undo
from reconciler.steps import Args, Evidence, Where
from reconciler.steps._judge import by_exit
from reconciler.steps._shell import PRELUDE
from reconciler.steps._show import typed
from reconciler.steps._undo import by_itself

KIND = "ownership"
TIMEOUT_S = 14400.0
REPEATABLE = True
INTERRUPTIBLE = False
WHERE: Where = "host"

# The record is `UID:GID PATH` a line, made before the first change of a run. Links are changed, never followed.
BODY = (
    PRELUDE
    + r"""
path=$1 owner=$2 run=$3
give_back=$run
[ -n "$run" ] && [ "$run" != self ] || run=$RECONCILER_RUN
notes=$RECONCILER_HOME/saved/$run/owners
record=$notes/$(digest "$path")
[ ! -L "$path" ] || fail "$path is a link"

give() {
  [ -e "$path" ] || fail "$path is not there"
  odd=$(find "$path" -name '*
*' -print | head -n 1)
  [ -z "$odd" ] || fail "a name below $path has a second line: $odd"
  if [ ! -f "$record" ]; then
    mkdir -p -- "$notes"
    find "$path" -exec stat -c '%u:%g %n' -- {} + >"$record.part"
    flush "$record.part"
    mv -f -- "$record.part" "$record"
    flush "$notes"
  fi
  chown -hR -- "$owner" "$path"
  value before "$(head -n 1 -- "$record" | cut -d ' ' -f 1)"
  value files "$(wc -l <"$record" | tr -d ' ')"
  echo "$path belongs to $owner"
}
# What came since belongs to whom the top belonged.
take() {
  if [ ! -f "$record" ]; then echo "the owner of $path was not changed"; return 0; fi
  if [ ! -e "$path" ]; then echo "$path is not there any more"; return 0; fi
  top=$(head -n 1 -- "$record" | cut -d ' ' -f 1)
  chown -hR -- "$top" "$path"
  cut -d ' ' -f 1 <"$record" | sort -u | while read -r each; do
    [ "$each" != "$top" ] || continue
    sed -n "s/^$each //p" "$record" | while IFS= read -r file; do
      if [ -e "$file" ] || [ -L "$file" ]; then printf '%s\0' "$file"; fi
    done | xargs -0 -r chown -h -- "$each"
  done
  echo "given back: $path"
}
if [ -n "$give_back" ]; then take; else give; fi
"""
)


class Model(Args):
    """The tree at `path`, and its new `owner` as USER, USER:GROUP or numbers.

    `restore_from` is a run's id, or `self`: each file goes back to whom that run found it with.
    """

    path: str = Field(pattern=r"^/[^\x00-\x1f]*[^\x00-\x1f/]$")
    owner: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$")
    restore_from: str = Field(default="", pattern=r"^([A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)?$")


def effect(args: Model) -> HostScript:
    """Render the change."""
    return HostScript(body=BODY, args=(args.path, args.owner, args.restore_from))


def shows(args: Model) -> tuple[str, ...]:
    """Show the call."""
    if args.restore_from:
        return (f"give the files below {args.path} back to whose they were before run {args.restore_from}",)
    return (typed(("chown", "-hR", args.owner, args.path)),)


def title(args: Model) -> str:
    """Name the tree."""
    return f"give {args.path} back" if args.restore_from else f"give {args.path} to {args.owner}"


def proved(_args: Model) -> tuple[str, ...]:
    """Say what stands behind it."""
    return ("chown could change every file, whose owner was recorded before",)


def undo(args: Model) -> Undo | None:
    """Give it back."""
    if args.restore_from:
        return None
    return by_itself(KIND, args, title, restore_from="self")


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: chown fails when it could not."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `before`, the owner of the top, and `files`, how many were recorded."""
    return by_exit(evidence)
