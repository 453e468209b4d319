"""Watches something over a span of phases: a sampler that runs on, its check, and its end."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Exited, Failed, Outcome
from reconciler.domain.plan import Json, Undo
from reconciler.domain.probe import ProbeName
from reconciler.domain.reasons import Reason
from reconciler.steps import Evidence, Where, _dumps, _probe
from reconciler.steps._judge import by_exit
from reconciler.steps._probe import ASK, Question
from reconciler.steps._shell import PRELUDE

KIND = "watch"
WHERE: Where = "host"
PROBES = frozenset({"probe"})
TIMEOUT_S = 300.0
REPEATABLE = True
INTERRUPTIBLE = True
BAD = 66

# The sampler holds a lock as long as it lives: no process id can be taken for it, and none of another boot.
# `samples` has one line for each, and one file before it: 2 MiB at most. `sums` is replaced whole after each.
_SAMPLER = r"""
cd -- "$1"
interval=$2
shift 2
exec 8>>lock
flock -n 8 || exit 0
good=0 bad=0 row=0 worst=0 gap=0 at=0 reached=0 first=-
[ ! -f sums ] || read -r good bad row worst gap at reached first <sums
[ "$reached" != 0 ] || reached=$(date +%s)
while [ ! -e stop ]; do
  if ask "$@" 8>&-; then word=good; else word=bad; fi
  at=$(date +%s)
  [ $((at - reached)) -le "$gap" ] || gap=$((at - reached))
  if [ "$word" = good ]; then
    good=$((good + 1)) row=0 reached=$at
  else
    bad=$((bad + 1)) row=$((row + 1))
    [ "$row" -le "$worst" ] || worst=$row
    [ "$first" != - ] || first=$at
    printf '%s\n' "$said" >last-bad
  fi
  printf '%s %s %s\n' "$at" "$word" "$said" >>samples
  [ "$(wc -c <samples)" -lt 1048576 ] || mv -f samples samples.before
  echo "$good $bad $row $worst $gap $at $reached $first" >sums.part
  mv -f sums.part sums
  sleep "$interval" 8>&-
done
"""

_REST = r"""
name=$1 action=$2 forgive=$3 interval=$4
shift 4
folder=$RECONCILER_HOME/saved/${OF_RUN:-$RECONCILER_RUN}/watch/$name
alive() { ! flock -n "$folder/lock" true; }
sums() { read -r good bad row worst gap at reached first <"$folder/sums"; }
told() { printf '%s\n' "$*" >&2; exit 66; }
when() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ; }
summary() { echo "$good good, $bad bad samples, ${gap} s at most between good ones"; }
judge() {
  [ "$worst" -le "$forgive" ] ||
    told "$worst bad samples in a row, the first bad one at $(when "$first"); last: $(cat "$folder/last-bad")"
}
# The sampler lives on by itself, without the step's lock and outside its session.
begin() {
  rm -f -- "$folder/stop"
  write_sampler "$folder/sampler"
  setsid sh "$folder/sampler" "$folder" "$interval" "$@" </dev/null >/dev/null 2>"$folder/errors" 9>&- &
}
start() {
  mkdir -p -- "$folder"
  : >>"$folder/lock"
  if alive; then echo "watched already"; else begin "$@"; fi
  deadline=$(($(date +%s) + $4 + 10))
  until [ -f "$folder/sums" ]; do
    [ "$(date +%s)" -lt "$deadline" ] || told "the sampler gave no sample: $(head -c 500 "$folder/errors")"
    sleep 1
  done
  sums
  [ "$good" -gt 0 ] || { end; told "not good from the start: $(cat "$folder/last-bad")"; }
  judge
  echo "watching"
}
check() {
  [ -f "$folder/sums" ] || told "nothing is watched under the name $name"
  sums
  judge
  alive || told "the sampler is dead; its last sample was at $(when "$at")"
  late=$(($(date +%s) - at))
  [ "$late" -le $((2 * ($4 + interval) + 5)) ] || told "the sampler is silent for $late s"
  summary
}
end() {
  : >"$folder/stop"
  flock "$folder/lock" true
}
stop() {
  if [ ! -f "$folder/sums" ]; then echo "nothing was watched"; return 0; fi
  end
  sums
  value good "$good"
  value bad "$bad"
  value longest_gap_s "$gap"
  [ "$first" = - ] || value first_bad "$(when "$first")"
  summary
}
case $action in start | check | stop) "$action" "$@" ;; *) fail "unknown action $action" ;; esac
"""

BODY = f"{PRELUDE}write_sampler() {{ cat >\"$1\" <<'SAMPLER'\n{PRELUDE}{ASK}{_SAMPLER}SAMPLER\n}}\n{_REST}"


class Model(Question):
    """What is asked every `interval_s` seconds under a name, and how many bad answers in a row are forgiven.

    `run` is the run that began the watch, empty for the current one.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*$")
    action: Literal["start", "check", "stop"]
    interval_s: int = Field(default=1, ge=1, le=60)
    forgive: int = Field(default=0, ge=0)
    timeout_s: int = Field(default=5, ge=1, le=60)
    run: str = Field(default="", pattern=_dumps.RUN)


class Form(Model):
    """What a procedure says of it: the question of a host, or the name of a probe, which says itself what is good."""

    probe: ProbeName = ProbeName("")

    @model_validator(mode="after")
    def _one(self) -> Self:
        _probe.one_of(self, self.probe, {"name", "action", "run"})
        return self


def effect(args: Model) -> HostScript:
    """Render the order with the question."""
    fixed = (args.name, args.action, str(args.forgive), str(args.interval_s))
    env = {"OF_RUN": args.run} if args.run else {}
    return HostScript(body=BODY, args=(*fixed, *_probe.words(args)), env=env)


def shows(args: Model) -> tuple[str, ...]:
    """Show what is sampled, or what is looked at."""
    match args.action:
        case "start":
            return (_probe.asked(args, f"every {args.interval_s} s, from now on"),)
        case "check":
            return (f"look at all samples of {args.name} since its start",)
        case "stop":
            return (f"end the samples of {args.name} and sum them up",)


def title(args: Model) -> str:
    """Name the watch."""
    verb = {"start": "begin to watch", "check": "check the watch on", "stop": "end the watch on"}[args.action]
    return f"{verb} {args.name}"


def undo(args: Model) -> Undo | None:
    """End what was begun."""
    if args.action != "start":
        return None
    back: dict[str, Json] = args.model_dump(mode="json") | {"action": "stop"}
    return Undo(KIND, back, f"end the watch on {args.name}")


def proved(_args: Model) -> tuple[str, ...]:
    """Say what the script reads back."""
    return ("every sample so far is good, and the sampler lives",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof beyond the samples."""
    return ()


def judge(args: Model, evidence: Evidence) -> Outcome:
    """Fail like a canary for a bad sample or a dead sampler; a stop leaves `good`, `bad` and `longest_gap_s`."""
    match evidence.exited:
        case Exited(code, output, _) if code == BAD:
            hint = f"See saved/RUN/watch/{args.name}/samples in the host's state_dir."
            return Failed(Reason.CANARY_FAILED, f"watch {args.name}: {output.strip()}", hint)
    return by_exit(evidence)
