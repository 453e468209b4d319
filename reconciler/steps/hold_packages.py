"""Holds packages at their version, or lets them go, and restores what was held before."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.domain.plan import Undo, digest_of
from reconciler.steps import Args, Evidence, Where
from reconciler.steps._judge import by_exit
from reconciler.steps._shell import PRELUDE
from reconciler.steps._show import typed
from reconciler.steps._undo import by_itself

KIND = "hold_packages"
TIMEOUT_S = 300.0
REPEATABLE = True
INTERRUPTIBLE = True
WHERE: Where = "host"

_APT = r"""
# installed PATTERN: names of installed packages, held ones too.
installed() {
  dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' -- "$1" 2>/dev/null |
    awk '$1 == "ii" || $1 == "hi" { print $2 }' | sort -u
}
state() { if apt-mark showhold "$1" | grep -qxF -- "$1"; then echo held; else echo free; fi; }
change() { if [ "$1" = held ]; then apt-mark hold "$2" >/dev/null; else apt-mark unhold "$2" >/dev/null; fi; }
"""
# A lock of dnf names a version: the very line is what is put back.
_DNF = r"""
installed() { rpm -qa --qf '%{NAME}\n' "$1" | sort -u; }
locks() {
  dnf -q versionlock list | awk -v name="$1-" 'index($0, name) == 1 && substr($0, length(name) + 1) ~ /^[0-9]+:/'
}
state() { found=$(locks "$1" | head -n 1); echo "${found:-free}"; }
change() {
  case $1 in
  free) locks "$2" | while read -r lock; do dnf -q versionlock delete "$lock"; done ;;
  held) dnf -q versionlock add "$2" ;;
  *) dnf -q versionlock add --raw "$1" ;;
  esac
}
"""
_HOLD = r"""
# A hold shows as "held", or as the lock that it is.
is_wanted() { case $wanted/$(state "$1") in free/free) ;; free/* | held/free) return 1 ;; esac; }
hold() {
  mkdir -p -- "$notes"
  names=$notes/$key.names
  : >"$names"
  for pattern in "$@"; do installed "$pattern" >>"$names"; done
  [ -s "$names" ] || [ "$wanted" = free ] || fail "none of these is installed: $*"
  if [ ! -f "$notes/$key" ]; then
    while read -r name; do printf '%s %s\n' "$name" "$(state "$name")"; done <"$names" >"$notes/$key.part"
    flush "$notes/$key.part"
    mv -f -- "$notes/$key.part" "$notes/$key"
    flush "$notes"
  fi
  while read -r name; do
    if is_wanted "$name"; then continue; fi
    change "$wanted" "$name" </dev/null
    is_wanted "$name" || fail "package $name is not $wanted"
    echo "$wanted: $name"
  done <"$names"
  value packages "$(tr '\n' ' ' <"$names" | sed 's/ $//')"
}
put_back() {
  if [ ! -f "$notes/$key" ]; then echo 'nothing was changed'; return 0; fi
  while read -r name before; do
    [ -n "$(installed "$name")" ] || continue
    [ "$(state "$name")" = "$before" ] || change "$before" "$name" </dev/null
    echo "$name: $before"
  done <"$notes/$key"
}
if [ "$put_back" = yes ]; then put_back; else hold "$@"; fi
"""
_HEAD = r"""
wanted=$1 key=$2 run=$3 put_back=no
shift 3
[ -z "$run" ] || put_back=yes
[ -n "$run" ] && [ "$run" != self ] || run=$RECONCILER_RUN
notes=$RECONCILER_HOME/saved/$run/holds
"""
APT_BODY = PRELUDE + _HEAD + _APT + _HOLD
DNF_BODY = PRELUDE + _HEAD + _DNF + _HOLD


class Model(Args):
    """Which installed packages, by name or pattern such as `openvswitch-*`; `hold: false` lets them go.

    `restore_from` is a run's id, or `self`: each package is held or free again as that run found it.
    """

    packages: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9*?][A-Za-z0-9*?+._-]*$")], ...] = Field(min_length=1)
    hold: bool = True
    manager: Literal["apt", "dnf"] = "apt"
    restore_from: str = Field(default="", pattern=r"^([A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)?$")


def effect(args: Model) -> HostScript:
    """Render the change."""
    key = digest_of([sorted(args.packages), args.hold])[:16]
    body = APT_BODY if args.manager == "apt" else DNF_BODY
    return HostScript(body=body, args=("held" if args.hold else "free", key, args.restore_from, *args.packages))


def shows(args: Model) -> tuple[str, ...]:
    """Show the call."""
    if args.restore_from:
        return (f"hold or let go {' '.join(args.packages)} as they were before run {args.restore_from}",)
    if args.manager == "apt":
        return (typed(("apt-mark", "hold" if args.hold else "unhold", *args.packages)),)
    return (typed(("dnf", "versionlock", "add" if args.hold else "delete", *args.packages)),)


def title(args: Model) -> str:
    """Name the packages."""
    if args.restore_from:
        return f"restore the holds of {' '.join(args.packages)}"
    return f"{'hold' if args.hold else 'let go'} {' '.join(args.packages)}"


def proved(args: Model) -> tuple[str, ...]:
    """Name the question."""
    wanted, tool = "held" if args.hold else "free", "apt-mark" if args.manager == "apt" else "dnf"
    if args.restore_from:
        return (f"{tool} did what was asked of it",)
    return (f"{tool} itself says that each is {wanted}",)


def undo(args: Model) -> Undo | None:
    """Restore what the run found."""
    if args.restore_from:
        return None
    return by_itself(KIND, args, title, restore_from="self")


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script asks for each hold."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `packages`, the names that the patterns meant."""
    return by_exit(evidence)
