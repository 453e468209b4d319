"""Drains a compute host: no new guests, and those that run move to another one while they run."""

from __future__ import annotations

from pydantic import Field

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.domain.plan import Undo
from reconciler.steps import Evidence, Where, _openstack
from reconciler.steps._judge import by_exit
from reconciler.steps._openstack import OPENSTACK, Cloud
from reconciler.steps._shell import PRELUDE, flag
from reconciler.steps._undo import by_itself

KIND = "live_migration"
TIMEOUT_S = 86400.0
REPEATABLE = True
INTERRUPTIBLE = False
WHERE: Where = "host"

# Guests that do not run hold no memory and no library: they are counted and left where they are.
_DRAIN = r"""
source=$1 onto=$2 parallel=$3 old_api=$4 reason=$5 run=$6
shift 6
[ "$run" != self ] || run=$RECONCILER_RUN
notes=$RECONCILER_HOME/saved/${run:-$RECONCILER_RUN}/drained
note=$notes/$(digest "$source")

guests() { answer server list --all-projects --host "$source" -f value -c ID -c Status; }
running() { printf '%s\n' "$1" | awk '$2 == "ACTIVE" || $2 == "PAUSED" { print $1 }'; }
status() { answer compute service list --host "$source" --service nova-compute -f value -c Status; }

disable() {
  before=$(status)
  [ -n "$before" ] || fail "there is no nova-compute on $source"
  [ "$before" = enabled ] || return 0
  mkdir -p -- "$notes"
  : >"$note"
  flush "$note" "$notes"
  os compute service set --disable --disable-reason="$reason" "$source" nova-compute
}
move() {
  set -- --wait "$1"
  if [ "$old_api" = yes ]; then
    [ -n "$onto" ] || fail "with the old API a host to move to must be named"
    set -- --live "$onto" "$@"
  else
    [ -z "$onto" ] || set -- --host "$onto" "$@"
    set -- --live-migration "$@"
  fi
  os server migrate "$@" </dev/null
}
check() {
  here=$(answer server show "$1" -f value -c OS-EXT-SRV-ATTR:host)
  state=$(answer server show "$1" -f value -c status)
  case $state in ACTIVE | PAUSED) ;; *) fail "guest $1 is $state after its migration" ;; esac
  if [ -n "$onto" ]; then [ "$here" = "$onto" ]; else [ "$here" != "$source" ]; fi ||
    fail "guest $1 runs on $here after its migration"
}
batch() {
  pids=
  for guest in "$@"; do
    move "$guest" &
    pids="$pids $!"
  done
  bad=0
  for pid in $pids; do wait "$pid" || bad=$((bad + 1)); done
  [ "$bad" = 0 ] || fail "$bad of $# migrations failed"
  for guest in "$@"; do check "$guest"; moved=$((moved + 1)); echo "moved: $guest"; done
}
drain() {
  disable
  moved=0
  while all=$(guests) || exit 1; some=$(running "$all" | head -n "$parallel"); [ -n "$some" ]; do
    # shellcheck disable=SC2086 # identifiers
    batch $some
  done
  value moved "$moved"
  value left "$(printf '%s\n' "$all" | grep -c . || :)"
  echo "no guest runs on $source any more; $moved moved"
}
take_back() {
  if [ ! -f "$note" ]; then echo "run $run did not disable nova-compute on $source"; return 0; fi
  os compute service set --enable "$source" nova-compute
  [ "$(status)" = enabled ] || fail "nova-compute on $source is still disabled"
  rm -f -- "$note"
  echo "enabled: nova-compute on $source"
}

if [ -n "$run" ]; then take_back; else drain; fi
"""
BODY = PRELUDE + OPENSTACK + _DRAIN


class Model(Cloud):
    """The host `source` is drained onto host `onto`, or where the scheduler likes (empty), `parallel` guests at a time.

    Both are names as nova knows them. `old_api` is for clouds before compute API 2.30 (mitaka). `restore_from` is
    a run's id, or `self`: enables the compute service again, if that run disabled it.
    """

    source: str = Field(pattern=r"^[^-]")
    onto: str = Field(default="", pattern=r"^([^-].*)?$")
    parallel: int = Field(default=1, ge=1, le=20)
    old_api: bool = False
    reason: str = "drained by reconciler"
    restore_from: str = Field(default="", pattern=r"^([A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)?$")


def effect(args: Model) -> HostScript:
    """Render the drain; a second attempt moves what is still there."""
    what = (args.source, args.onto, str(args.parallel), flag(args.old_api), args.reason, args.restore_from)
    return _openstack.script(args, BODY, what)


def shows(args: Model) -> tuple[str, ...]:
    """Show the calls, with GUEST for each one."""
    service = (args.source, "nova-compute")
    if args.restore_from:
        return (_openstack.shown(args, "compute", "service", "set", "--enable", *service),)
    onto = ("--host", args.onto) if args.onto else ()
    how = ("--live", args.onto) if args.old_api else ("--live-migration", *onto)
    return (
        _openstack.shown(args, "compute", "service", "set", "--disable", f"--disable-reason={args.reason}", *service),
        _openstack.shown(args, "server", "list", "--all-projects", "--host", args.source),
        _openstack.shown(args, "server", "migrate", *how, "--wait", "GUEST"),
    )


def proved(args: Model) -> tuple[str, ...]:
    """Say where each guest is found."""
    if args.restore_from:
        return ("the cloud shows nova-compute as enabled",)
    return (f"each guest runs on {args.onto or 'another host'}, and none on {args.source}",)


def title(args: Model) -> str:
    """Name the hosts."""
    if args.restore_from:
        return f"let nova-compute on {args.source} take guests again"
    return f"drain {args.source} of its guests{f' onto {args.onto}' if args.onto else ''}"


def undo(args: Model) -> Undo | None:
    """Enable the compute service again; guests stay where they are."""
    if args.restore_from:
        return None
    return by_itself(KIND, args, title, restore_from="self")


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script asks for every guest."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `moved`, and `left`: guests that do not run."""
    return by_exit(
        evidence, hint="See `openstack server event list` of the guest, and nova-compute's log on both hosts."
    )
