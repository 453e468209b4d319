"""Restarts daemons of a Ceph cluster one by one, and changes its flags and settings; waits until it is whole again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.domain.plan import Undo
from reconciler.steps import Args, Evidence, Where
from reconciler.steps._judge import by_exit
from reconciler.steps._shell import PRELUDE
from reconciler.steps._show import typed
from reconciler.steps._undo import by_itself

KIND = "ceph"
TIMEOUT_S = 86400.0
REPEATABLE = True
INTERRUPTIBLE = False
WHERE: Where = "host"

# The plain answers are read, which look alike from hammer to today:
#   e3: 3 mons at {a=...}, election epoch 6, [leader 0 a,] quorum 0,1,2 a,b,c
#   [v97: ]192 pgs: 190 active+clean, 2 active+clean+scrubbing+deep; 4 GB data, ...
# Placement groups that are scrubbed are clean; any other state is not.
_CEPH = r"""
conf=$1 client=$2 wait_s=$3 conditions=$4 action=$5
shift 5
command -v ceph >/dev/null || fail "ceph is not on this host"
# A question to daemons that are not there waits for ever.
ask() { timeout 120 ceph --conf "$conf" --name "$client" --connect-timeout 30 "$@" </dev/null; }
notes=$RECONCILER_HOME/saved/$RECONCILER_RUN/ceph

quorum() {
  said=$(ask mon stat 2>&1) || return 1
  all=$(printf '%s\n' "$said" | sed -n 's/^e[0-9]*: \([0-9]*\) mons.*/\1/p')
  voting=$(printf '%s\n' "$said" | sed -n 's/.* quorum \([0-9,]*\) .*/\1/p' | tr , '\n' | grep -c .)
  [ -n "$all" ] && [ "$voting" = "$all" ]
}
clean() {
  said=$(ask pg stat 2>&1) || return 1
  printf '%s\n' "$said" | sed 's/^v[0-9]*: //' | awk '
    / pgs: / && !seen++ {
      all = $1; states = substr($0, index($0, ":") + 1); sub(/;.*/, "", states)
      count = split(states, part, ",")
      for (n = 1; n <= count; n++) {
        split(part[n], word, " ")
        if (word[2] ~ /^active\+clean(\+scrubbing|\+deep|\+snaptrim|\+snaptrim_wait)*$/) good += word[1]
      }
    }
    END { exit !(seen && good + 0 == all + 0) }'
}
healthy() {
  said=$(ask health 2>&1) || return 1
  case $said in HEALTH_OK*) ;; *) return 1 ;; esac
}
whole() { for condition in $conditions; do "$condition" || return 1; done; }
await_whole() {
  deadline=$(($(date +%s) + wait_s))
  until whole; do
    [ "$(date +%s)" -lt "$deadline" ] || fail "not $condition after $wait_s s: $said"
    sleep 2
  done
}

await() { await_whole; echo "whole: $conditions"; }
restart() {
  await_whole
  for unit in "$@"; do
    systemctl restart -- "$unit"
    sleep 2
    [ "$(systemctl is-active -- "$unit")" = active ] || fail "unit $unit is not active after its restart"
    await_whole
    echo "restarted: $unit"
  done
}
flags() { ask osd dump | sed -n 's/^flags //p' | tr , '\n'; }
flag() {
  verb=$1 name=$2 note=$notes/$2
  if flags | grep -qxF -- "$name"; then before=set; else before=unset; fi
  mkdir -p -- "$notes"
  if [ ! -f "$note" ]; then
    echo "$before" >"$note.part"
    flush "$note.part"
    mv -f -- "$note.part" "$note"
    flush "$notes"
  fi
  value before "$(cat -- "$note")"
  [ "$before" = "$verb" ] || ask osd "$verb" "$name"
  if flags | grep -qxF -- "$name"; then after=set; else after=unset; fi
  [ "$after" = "$verb" ] || fail "flag $name is $after"
  echo "flag $name: $verb, before: $before"
}
# The flag goes back to what the run found, where the run found anything.
reset_flag() {
  note=$RECONCILER_HOME/saved/$2/ceph/$1
  [ "$2" != self ] || note=$notes/$1
  if [ ! -f "$note" ]; then echo "flag $1 was not touched"; return 0; fi
  ask osd "$(cat -- "$note")" "$1"
  echo "flag $1: $(cat -- "$note")"
}
inject() { ask tell "$1" injectargs "$2"; }
require() { ask osd "$@"; }
versions() {
  target=$1 wanted=$2
  answer=$(ask tell "$target" version) || fail "not every daemon of $target answers"
  found=$(printf '%s\n' "$answer" | sed -n -e 's/.*ceph version \([^ "]*\).*/\1/p' -e t \
    -e 's/.*"version": "\([0-9][^ "]*\)".*/\1/p' | sort | uniq -c)
  [ -n "$found" ] || fail "no version in the answer of $target"
  printf '%s\n' "$found"
  value versions "$(printf '%s\n' "$found" | awk '{ printf "%s%sx%s", sep, $1, $2; sep = " " }')"
  others=$(printf '%s\n' "$found" | awk -v wanted="$wanted" 'index($2, wanted) != 1 { print $2 }')
  [ -z "$others" ] || fail "daemons of $target run $(printf '%s' "$others" | tr '\n' ' ') instead of $wanted"
}

"$action" "$@"
"""
BODY = PRELUDE + _CEPH

Condition = Literal["quorum", "clean", "healthy"]
Option = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Setting = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.,:/+-]+$")]


class Model(Args):
    """What is done to the cluster that `conf` names, as `client`.

    `wait` waits until all of `until` hold: every monitor in quorum, every placement group active+clean, HEALTH_OK;
    `restart` does so before the first of `units` and after each; `flag` sets or unsets an OSD flag; `inject` pushes
    settings to the running daemons of `target` (`was` for the way back); `require` forbids OSDs older than `release`,
    which has no way back; `versions` sees every daemon of `target` run a `version` that begins so.
    """

    action: Literal["wait", "restart", "flag", "inject", "require", "versions"]
    until: tuple[Condition, ...] = ()
    wait_s: int = Field(default=3600, ge=0, le=82800)
    units: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9@._-]*$")], ...] = ()
    flag: str = Field(default="", pattern=r"^[a-z_-]*$")
    set: bool = True
    target: str = Field(default="", pattern=r"^((mon|osd|mds|mgr)\.(\*|[A-Za-z0-9_-]+))?$")
    settings: Mapping[Option, Setting] = {}
    was: Mapping[Option, Setting] = {}
    release: str = Field(default="", pattern=r"^[a-z]*$")
    version: str = ""
    conf: str = Field(default="/etc/ceph/ceph.conf", pattern="^/")
    client: str = Field(default="client.admin", pattern=r"^client\.[A-Za-z0-9_.-]+$")
    restore_from: str = Field(default="", pattern=r"^([A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)?$")

    @model_validator(mode="after")
    def _check(self) -> Self:
        needed: dict[str, dict[str, object]] = {
            "wait": {"until": self.until},
            "restart": {"units": self.units, "until": self.until},
            "flag": {"flag": self.flag},
            "inject": {"target": self.target, "settings": self.settings},
            "require": {"release": self.release},
            "versions": {"target": self.target, "version": self.version},
        }
        if missing := [name for name, given in needed[self.action].items() if not given]:
            raise ValueError(f"{self.action} needs {', '.join(missing)}")
        if set(self.was) - set(self.settings):
            raise ValueError("what was is said of a setting that is not pushed")
        return self


def effect(args: Model) -> HostScript:
    """Render the action; each may be done twice."""
    fixed = (args.conf, args.client, str(args.wait_s), " ".join(args.until))
    return HostScript(body=BODY, args=(*fixed, *_words(args)))


def _words(args: Model) -> tuple[str, ...]:
    flag = ("reset_flag", args.flag, args.restore_from) if args.restore_from else ("flag", _verb(args), args.flag)
    return {
        "wait": ("await",),
        "restart": ("restart", *args.units),
        "flag": flag,
        "inject": ("inject", args.target, _injected(args.settings)),
        "require": ("require", *_required(args.release)),
        "versions": ("versions", args.target, args.version),
    }[args.action]


def _verb(args: Model) -> str:
    return "set" if args.set else "unset"


def _injected(settings: Mapping[str, str]) -> str:
    return " ".join(f"--{name}={value}" for name, value in sorted(settings.items()))


def _required(release: str) -> tuple[str, ...]:
    """Until luminous it was a flag of its own (release notes of jewel, kraken, luminous)."""
    return ("set", f"require_{release}_osds") if release in {"jewel", "kraken"} else ("require-osd-release", release)


def shows(args: Model) -> tuple[str, ...]:
    """Show the orders, and what is waited for."""
    wait = (f"wait until {' and '.join(args.until)}, {args.wait_s} s at most",) if args.until else ()
    if args.action == "restart":
        return tuple(line for unit in args.units for line in (*wait, typed(("systemctl", "restart", unit)))) + wait
    if args.action == "flag" and args.restore_from:
        return (f"set or unset {args.flag} as it was before run {args.restore_from}",)
    words: dict[str, tuple[str, ...]] = {
        "flag": ("osd", _verb(args), args.flag),
        "inject": ("tell", args.target, "injectargs", _injected(args.settings)),
        "require": ("osd", *_required(args.release)),
        "versions": ("tell", args.target, "version"),
    }
    return (_ceph(args, *words[args.action]),) if args.action in words else wait


def _ceph(args: Model, *words: str) -> str:
    return typed(("ceph", "--conf", args.conf, "--name", args.client, *words))


_STATES = {"quorum": "in quorum", "clean": "clean", "healthy": "healthy"}


def title(args: Model) -> str:
    """Name what is done."""
    return {
        "wait": f"wait until the cluster is {' and '.join(_STATES[each] for each in args.until)}",
        "restart": f"restart {', '.join(args.units)} one by one",
        "flag": f"{'reset' if args.restore_from else _verb(args)} flag {args.flag}",
        "inject": f"push {', '.join(sorted(args.settings))} to {args.target}",
        "require": f"require OSDs of {args.release} or newer",
        "versions": f"see {args.target} run {args.version}",
    }[args.action]


def proved(args: Model) -> tuple[str, ...]:
    """Say what the cluster is asked."""
    whole = f"the cluster is {' and '.join(_STATES[each] for each in args.until)}"
    told = {
        "wait": whole,
        "restart": f"each unit is active, and {whole} before the first and after each",
        "flag": f"the flags that `ceph osd dump` shows for {args.flag}",
        "versions": f"every daemon of {args.target} answers {args.version}",
    }
    return (told.get(args.action, "exit code 0"),)


def undo(args: Model) -> Undo | None:
    """Reset a flag to what the run found, and settings to what they are said to have been."""
    if args.action == "flag" and not args.restore_from:
        return by_itself(KIND, args, title, restore_from="self")
    if args.action == "inject" and args.was:
        return by_itself(KIND, args, title, settings=args.was, was={})
    return None


def no_return(args: Model) -> bool:
    """Tell whether nothing leads back: OSDs that are required to be newer stay so."""
    return args.action == "require"


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script asks the cluster."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; `versions` leaves `versions`, `flag` leaves `before`."""
    return by_exit(evidence, hint="See `ceph -s` and `ceph health detail`.")
