"""Starts, stops or restarts units, and waits until they are in that state."""

from __future__ import annotations

from functools import partial
from typing import Literal, Self

from pydantic import Field, model_validator

from reconciler.domain.effect import Ask, AskHost, HostScript
from reconciler.domain.observation import Absent, HostReport, Known, Unit
from reconciler.domain.outcome import Failed, Lost, Outcome
from reconciler.domain.reasons import Reason
from reconciler.steps import Args, Evidence
from reconciler.steps._judge import asked_once_more, by_exit
from reconciler.steps._shell import PRELUDE, flag
from reconciler.steps._show import typed
from reconciler.steps._systemd import DROPINS, SYSTEMD, conditions

KIND = "units"
TIMEOUT_S = 300.0
REPEATABLE = True
INTERRUPTIBLE = False

_SYSTEMD = (
    SYSTEMD
    + r"""
act() { systemctl "$@"; }
lasting() { case $1 in yes) systemctl enable -- "$2" ;; no) systemctl disable -- "$2" ;; esac; }
life() { for unit in "$@"; do show ExecMainStartTimestampMonotonic "$unit"; done; }
# A unit of Type=simple is active before it has read its configuration: it must still be the same one a second later.
steady() {
  before=$(life "$@")
  sleep 1
  [ "$before" = "$(life "$@")" ] || return 1
  for unit in "$@"; do up "$unit" || return 1; done
}
"""
)

# supervisord itself holds a program in STARTING until it has lived for `startsecs`.
_SUPERVISORD = r"""
status() { "$ctl" -c "$config" status "$1" 2>&1 | sed -n '$p'; }
state() {
  line=$(status "$1")
  case $line in
  *'ERROR (no such process)'* | *'ERROR (no such group)'*) echo ABSENT ;;
  "$1 "*) printf '%s\n' "$line" | awk '{ print $2 }' ;;
  *) echo UNKNOWN; printf '%s\n' "$line" >&2 ;;
  esac
}
absent() { [ "$(state "$1")" = ABSENT ]; }
up() { [ "$(state "$1")" = RUNNING ]; }
down() { case $(state "$1") in STOPPED | EXITED | FATAL) ;; *) return 1 ;; esac; }
act() {
  verb=$1; shift
  [ "$1" != -- ] || shift
  "$ctl" -c "$config" "$verb" "$@" || :
}
hold_down() { :; }
let_up() { :; }
lasting() { [ -z "$1" ] || echo "supervisord: whether $2 starts at boot is said by its configuration file"; }
steady() { :; }
"""

_REST = r"""
if [ "$manager" = systemd ]; then tell=systemctl; else tell=$ctl; fi
command -v "$tell" >/dev/null || fail "$tell is not on this host"
verb=start; want=up
case $state in stopped) verb=stop; want=down ;; restarted) verb=restart ;; esac
reached() {
  deadline=$(($(date +%s) + wait_s))
  until "$want" "$1"; do
    [ "$(date +%s)" -lt "$deadline" ] || return 1
    sleep 0.2 2>/dev/null || sleep 1
  done
}
count=$#
while [ "$count" -gt 0 ]; do
  unit=$1; shift; count=$((count - 1))
  if ! absent "$unit"; then set -- "$@" "$unit"; continue; fi
  [ "$state" = stopped ] && [ "$absent_ok" = yes ] || fail "unit $unit is not known on this host"
  echo "$unit: not known on this host, as was allowed"
done
[ $# -gt 0 ] || exit 0
if [ "$want" = down ]; then hold_down "$@"; else let_up "$@"; fi
act "$verb" -- "$@" || echo "$tell $verb: exit code $?"
for unit in "$@"; do
  reached "$unit" || fail "unit $unit is not $state after $wait_s s"
  lasting "$enable" "$unit"
done
[ "$want" = down ] || steady "$@" || fail "a unit ended or started anew within a second: $*"
echo "$state: $*"
"""

BODY = (
    PRELUDE
    + "manager=$1 config=$2 ctl=$3 state=$4 enable=$5 absent_ok=$6 wait_s=$7 dropins=$8\nshift 8\n"
    + f'if [ "$manager" = systemd ]; then\n{_SYSTEMD}\nelse\n{_SUPERVISORD}\nfi\n'
    + _REST
)


class Model(Args):
    """Which units, of which manager, in which state; a unit that is absent is stopped only where `absent_ok` says so.

    `supervisorctl` is a path or a name on PATH. `enable` None leaves what happens at boot alone. What is stopped on a
    `host` that is named is asked for once more.
    """

    host: str = ""
    units: tuple[str, ...] = Field(min_length=1)
    state: Literal["started", "stopped", "restarted"]
    manager: Literal["systemd", "supervisord"] = "systemd"
    manager_config: str = ""
    supervisorctl: str = "supervisorctl"
    enable: bool | None = None
    absent_ok: bool = False
    wait_s: int = Field(default=30, ge=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.manager == "supervisord" and not self.manager_config:
            raise ValueError("supervisord is reached through its configuration file: manager_config is empty")
        if any(unit.startswith("-") or not unit for unit in self.units):
            raise ValueError("a unit's name neither is empty nor begins with a dash")
        return self


def effect(args: Model) -> HostScript:
    """Render the orders to the manager and the wait for the state."""
    fixed = (args.manager, args.manager_config, args.supervisorctl, args.state)
    chosen = (flag(args.enable), flag(args.absent_ok), str(args.wait_s), DROPINS)
    return HostScript(body=BODY, args=(*fixed, *chosen, *args.units))


def shows(args: Model) -> tuple[str, ...]:
    """Show the orders to the manager."""
    verb = {"started": "start", "stopped": "stop", "restarted": "restart"}[args.state]
    if args.manager == "supervisord":
        return (typed((args.supervisorctl, "-c", args.manager_config, verb, *args.units)),)
    boot = () if args.enable is None else (typed(("systemctl", "enable" if args.enable else "disable", *args.units)),)
    return *conditions(args.units, stopped=args.state == "stopped"), typed(("systemctl", verb, *args.units)), *boot


def proved(args: Model) -> tuple[str, ...]:
    """Say what the script waits for."""
    lasting = ", and still runs a second later" if args.manager == "systemd" and args.state != "stopped" else ""
    state = "not running" if args.state == "stopped" else "running"
    again = ("asked again, the host shows none of them running",) if proofs(args) else ()
    return (f"{args.manager} shows every unit {state} within {args.wait_s} s{lasting}", *again)


def proofs(args: Model) -> tuple[Ask, ...]:
    """Ask for units that were stopped once more: databases are changed and put back in the belief that they are."""
    if args.state != "stopped" or not args.host:
        return ()
    return (AskHost(host=args.host, service="", form="packages", units=args.units),)


def judge(args: Model, evidence: Evidence) -> Outcome:
    """Follow the script, which ends well only in the wanted state, and the answer of who was asked once more."""
    outcome = by_exit(evidence, hint="Read the unit's log on the host.")
    return asked_once_more(outcome, evidence, proofs(args), partial(_still_up, args))


def _still_up(args: Model, report: HostReport) -> Failed | Lost | None:
    """Say which units run, or of which nobody can tell; one that its manager does not know runs nowhere."""
    seen = {name: report.units.get(name) for name in args.units}
    up = [f"{name} is {each.value.state}" for name, each in seen.items() if isinstance(each, Known) and _runs(each)]
    if up:
        hint = "Somebody or something started it, or the host is not what it was: look at its log, then retry."
        return Failed(Reason.STEP_FAILED, f"stopped, but when asked again {', '.join(up)}", hint)
    odd = [name for name, each in seen.items() if not isinstance(each, Known | Absent)]
    return Lost(Reason.STEP_LOST, f"nobody can tell whether {', '.join(odd)} still runs") if odd else None


def _runs(unit: Known[Unit]) -> bool:
    return unit.value.state not in {"inactive", "failed"}
