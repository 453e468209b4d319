"""Asks the cloud through the `openstack` command line, and changes it where the answer is not the wanted one."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.domain.plan import Undo, digest_of
from reconciler.steps import Evidence, Where, _openstack
from reconciler.steps._judge import by_exit
from reconciler.steps._openstack import OPENSTACK, Cloud
from reconciler.steps._shell import PRELUDE, flag
from reconciler.steps._undo import by_itself

KIND = "openstack_call"
TIMEOUT_S = 900.0
REPEATABLE = True
INTERRUPTIBLE = True
WHERE: Where = "host"

# The lists of words end with `;`, for a shell has but one list. What is noted before the change says that it is ours.
_CALL = r"""
want=$1 absent=$2 wait_s=$3 run=$4 key=$5
shift 5
[ "$run" != self ] || run=$RECONCILER_RUN
notes=$RECONCILER_HOME/saved/${run:-$RECONCILER_RUN}/openstack
kept=

# with FUNCTION SKIP LISTS...: calls FUNCTION with the words of one list; `{}` among them is what was kept.
with() {
  call=$1 skip=$2
  shift 2
  while [ "$skip" -gt 0 ]; do
    while [ "$1" != ';' ]; do shift; done
    shift
    skip=$((skip - 1))
  done
  all=$# count=0
  while [ "$1" != ';' ]; do
    if [ "$1" = '{}' ]; then set -- "$@" "$kept"; else set -- "$@" "$1"; fi
    shift
    count=$((count + 1))
  done
  shift "$((all - count))"
  [ $# = 0 ] || "$call" "$@"
}
wanted() {
  if [ "$absent" = yes ]; then [ -z "$1" ]; return; fi
  [ -n "$1" ] || return 1
  [ -z "$want" ] || ! printf '%s\n' "$1" | grep -qvixF -- "$want"
}
look() { seen=$(with answer 0 "$@") || exit 1; }
line() { printf '%s' "$1" | tr '\n' ' '; }

late='the answer is not the wanted one'
change() {
  late='after the call the answer is'
  mkdir -p -- "$notes"
  [ -f "$notes/$key" ] || : >"$notes/$key"
  flush "$notes/$key" "$notes"
  with os 1 "$@"
}
call() {
  look "$@"
  if wanted "$seen"; then
    echo "nothing to do: $(line "$seen")"
  else
    if [ "$has_do" = yes ]; then change "$@"; fi
    deadline=$(($(date +%s) + wait_s))
    while look "$@"; ! wanted "$seen"; do
      [ "$(date +%s)" -lt "$deadline" ] || fail "$late: $(line "${seen:-none}")"
      sleep 2
    done
    if [ "$has_do" = yes ]; then
      printf '%s\n' "$seen" >"$notes/$key"
      flush "$notes/$key"
    fi
    echo "done: $(line "$seen")"
  fi
  value answer "$(line "$seen" | sed 's/ $//')"
}
take_back() {
  if [ ! -f "$notes/$key" ]; then echo 'nothing was changed'; return 0; fi
  kept=$(head -n 1 -- "$notes/$key")
  if [ -z "$kept" ]; then look "$@"; kept=$(printf '%s\n' "$seen" | head -n 1); fi
  case $kept in -*) fail "the answer would be taken for an option: $kept" ;; esac
  look "$@"
  if wanted "$seen"; then with os 2 "$@"; echo "taken back"; else echo 'it is so no longer'; fi
  rm -f -- "$notes/$key"
  flush "$notes"
}

if [ -n "$run" ]; then take_back "$@"; else call "$@"; fi
"""
BODY = PRELUDE + OPENSTACK + "has_do=$1\nshift\n" + _CALL


class Model(Cloud):
    """`ask` is a question of the command line and `column` what of its answer counts; `do` makes it the wanted one.

    Wanted is any answer, or one whose every line is `want`, or none (`absent`). Without `do` it must be so already,
    or become so by itself within a `wait_s` that is given.
    `back` takes it back, with `{}` for the answer's first line; `restore_from` is a run's id, or `self`, whose change
    is taken back.
    """

    ask: tuple[str, ...] = Field(min_length=1)
    column: str = Field(min_length=1)
    want: str = Field(default="", pattern=r"^[^\x00-\x1f]*$")
    absent: bool = False
    do: tuple[str, ...] = ()
    back: tuple[str, ...] = ()
    wait_s: int = Field(default=60, ge=0, le=3600)
    restore_from: str = Field(default="", pattern=r"^([A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)?$")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.absent and self.want:
            raise ValueError("either an answer is wanted or none")
        if self.back and not self.do:
            raise ValueError("what is only asked need not be taken back")
        if ";" in (*self.ask, *self.do, *self.back):
            raise ValueError("a word of a command is no lone semicolon")
        return self


def effect(args: Model) -> HostScript:
    """Render the three commands; a second attempt asks first, like the first one."""
    lists = (word for words in (_question(args), args.do, args.back) for word in (*words, ";"))
    key = digest_of([list(args.ask), list(args.do)])[:16]
    fixed = (flag(bool(args.do)), args.want, flag(args.absent), str(_patience(args)), args.restore_from, key)
    return _openstack.script(args, BODY, (*fixed, *lists))


def _patience(args: Model) -> int:
    return args.wait_s if args.do or "wait_s" in args.model_fields_set else 0


def _question(args: Model) -> tuple[str, ...]:
    return *args.ask, "-f", "value", "-c", args.column


def shows(args: Model) -> tuple[str, ...]:
    """Show the question, and the change."""
    calls = (_question(args), args.back if args.restore_from else args.do)
    return tuple(_openstack.shown(args, *words) for words in calls if words)


def proved(args: Model) -> tuple[str, ...]:
    """Name the wanted answer."""
    wanted = "nothing" if args.absent else args.want or "something"
    return (f"{_openstack.shown(args, *_question(args))} answers {wanted}",)


def title(args: Model) -> str:
    """Name the call."""
    words = args.back if args.restore_from else args.do
    return f"openstack {' '.join(words)}" if words else f"see what openstack {' '.join(args.ask)} answers"


def undo(args: Model) -> Undo | None:
    """Take it back, where the run changed anything."""
    if args.restore_from or not args.back:
        return None
    return by_itself(KIND, args, title, restore_from="self")


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script asks again after the change."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `answer`."""
    return by_exit(
        evidence, hint="Ask the same of the cloud by hand: endpoint, account and the command line's version."
    )
