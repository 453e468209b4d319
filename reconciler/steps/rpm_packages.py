"""Downloads or installs exact versions of rpm packages, and locks them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.domain.plan import Json, Undo
from reconciler.domain.version import RPM
from reconciler.steps import Args, Evidence, Where
from reconciler.steps._judge import by_exit
from reconciler.steps._shell import PRELUDE, flag
from reconciler.steps._show import typed

KIND = "rpm_packages"
WHERE: Where = "host"
TIMEOUT_S = 1800.0
REPEATABLE = True
INTERRUPTIBLE = False

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+-]*$")]
Version = Annotated[str, Field(pattern=f"^(?:{RPM})$")]

# A lock of the plugin would keep the old version: those of our packages go before, and come back as what is installed
# afterwards. What was installed and locked when the run first touched a package is kept, also over a crash.
BODY = (
    PRELUDE
    + r"""
action=$1 hold=$2 remove=$3
shift 3
dnf=$(command -v dnf || command -v yum) || fail "neither dnf nor yum is on this host"
folder=$RECONCILER_HOME/saved/${OF_RUN:-$RECONCILER_RUN}
kept=$folder/rpms
run() { "$dnf" -y "$@"; }

# name PAIR, full PAIR, installed NAME: a version is epoch:version-release, with the epoch 0 where none is said.
name() { echo "${1%%=*}"; }
full() { case ${1#*=} in *:*) echo "${1#*=}" ;; *) echo "0:${1#*=}" ;; esac; }
installed() {
  rpm -q -- "$1" >/dev/null 2>&1 || return 0 # it tells of the absent one on its standard output
  rpm -q --qf '%|EPOCH?{%{EPOCH}}:{0}|:%{VERSION}-%{RELEASE}\n' -- "$1" | sort -u
}

# dnf prints name-epoch:version-release.*, yum epoch:name-version-release.*
read_locks() { locks=$(run -q versionlock list 2>/dev/null) && locks=$(printf '%s\n' "$locks" | sed 's/^[0-9]*://'); }
is_locked() {
  printf '%s\n' "$locks" | awk -v name="$1-" '
    index($0, name) == 1 && substr($0, length(name) + 1) ~ /^([0-9]+:)?[^-]+-[^-]+$/ { found = 1 } END { exit !found }'
}
# remember PAIR...: keeps of each package what is installed, and whether it is locked, once per run.
remember() {
  mkdir -p -- "$folder"
  touch -- "$kept"
  for pair; do
    one=$(name "$pair")
    [ -z "$(was "$one")" ] || continue
    version=$(installed "$one" | tail -n 1)
    if is_locked "$one"; then lock=locked; else lock=free; fi
    printf '%s %s %s\n' "$one" "${version:-absent}" "$lock" >>"$kept"
  done
  flush "$kept"
}
was() { awk -v name="$1" '$1 == name { print $2, $3; exit }' "$kept"; }
unlock() {
  held=
  for pair; do if is_locked "$(name "$pair")"; then held="$held $(name "$pair")"; fi; done
  [ -z "$held" ] || run -q versionlock delete $held >/dev/null
}
lock() {
  wanted=
  for pair; do
    case $hold$(was "$(name "$pair")") in yes* | *\ locked) wanted="$wanted $(name "$pair")" ;; esac
  done
  [ -n "$wanted" ] || return 0
  run -q versionlock add $wanted >/dev/null
  read_locks
  for one in $wanted; do is_locked "$one" || fail "package $one could not be locked"; done
}

# wrong PAIR...: prints the pairs that are not installed as wanted.
wrong() { for pair; do [ "$(installed "$(name "$pair")")" = "$(full "$pair")" ] || printf '%s\n' "$pair"; done; }
spec() { for pair; do printf '%s-%s\n' "$(name "$pair")" "${pair#*=}"; done; }
# ask VERB PAIR...: neither name nor version holds what a shell would split or expand.
ask() {
  verb=$1; shift
  # shellcheck disable=SC2046
  if [ "$remove" = yes ]; then run "$verb" --allowerasing $(spec "$@"); else run "$verb" $(spec "$@"); fi
}

install() {
  lockable=no locks=
  if read_locks; then lockable=yes; fi
  [ "$hold$lockable" != yesno ] || fail "the versionlock plugin of $dnf is not on this host: install it, or do not hold"
  remember "$@"
  [ "$lockable" = no ] || unlock "$@"
  # dnf goes up and down with `install`; yum goes down only with `downgrade`.
  for verb in install downgrade; do
    left=$(wrong "$@")
    [ -z "$left" ] || ask "$verb" $left
  done
  left=$(wrong "$@")
  for pair in $left; do echo "package $(name "$pair") is $(installed "$(name "$pair")") instead of ${pair#*=}" >&2; done
  [ -z "$left" ] || exit 1
  [ "$lockable" = no ] || lock "$@"
}
download() {
  # shellcheck disable=SC2046
  run install --downloadonly $(spec "$@")
}
back() {
  if [ ! -f "$kept" ]; then echo "this run installed nothing here"; return 0; fi
  pairs= gone= hold=no
  for pair; do
    found=$(was "$(name "$pair")")
    case $found in
    '') ;;
    absent*) gone="$gone $(name "$pair")" ;;
    *) pairs="$pairs $(name "$pair")=${found% *}" ;;
    esac
  done
  if read_locks; then unlock "$@"; fi
  [ -z "$pairs" ] || install $pairs
  for one in $gone; do [ -z "$(installed "$one")" ] || run remove "$one"; done
}

case $action in download | install | back) "$action" "$@" ;; *) fail "unknown action $action" ;; esac
echo "$action: $*"
"""
)


class Model(Args):
    """Exact versions, [EPOCH:]VERSION-RELEASE, by package. `remove` allows dnf to erase what stands in their way.

    `back` brings these packages back to what was installed when the run first touched them; `run` names that run where
    it is not the current one.
    """

    action: Literal["download", "install", "back"]
    packages: Mapping[Name, Version] = Field(min_length=1)
    hold: bool = True
    remove: bool = False
    run: str = Field(default="", pattern=r"^([A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)?$")


def effect(args: Model) -> HostScript:
    """Render `name=version` pairs, sorted."""
    pairs = (f"{name}={version}" for name, version in sorted(args.packages.items()))
    env = {"OF_RUN": args.run} if args.run else {}
    return HostScript(body=BODY, args=(args.action, flag(args.hold), flag(args.remove), *pairs), env=env)


def shows(args: Model) -> tuple[str, ...]:
    """Show the lines of dnf."""
    names = tuple(f"{name}-{version}" for name, version in sorted(args.packages.items()))
    erase = ("--allowerasing",) if args.remove else ()
    if args.action == "download":
        return (typed(("dnf", "-y", "install", *erase, "--downloadonly", *names)),)
    if args.action == "back":
        return (f"bring {' '.join(sorted(args.packages))} back to what was installed before this run",)
    lock = (typed(("dnf", "versionlock", "add", *sorted(args.packages))),) if args.hold else ()
    return typed(("dnf", "-y", "install", *erase, *names)), *lock


def title(args: Model) -> str:
    """Name the packages."""
    if args.action == "back":
        return f"bring back {', '.join(sorted(args.packages))}"
    return f"{args.action} {', '.join(f'{name} {version}' for name, version in sorted(args.packages.items()))}"


def undo(args: Model) -> Undo | None:
    """Bring back what was installed; None for a download."""
    if args.action != "install":
        return None
    back: dict[str, Json] = {"action": "back", "packages": dict(args.packages), "remove": args.remove, "run": ""}
    return Undo(KIND, back, f"bring back {', '.join(sorted(args.packages))}")


def proved(args: Model) -> tuple[str, ...]:
    """Say what the script reads back."""
    return ("dnf has fetched every package" if args.action == "download" else "rpm shows exactly these versions",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script asks rpm for the versions itself."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script, which ends well only with exactly these versions installed."""
    return by_exit(evidence, hint="See /var/log/dnf.log on the host; is the repository whole?")
