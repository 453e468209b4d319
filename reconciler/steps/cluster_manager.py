"""Keeps pacemaker's hands off a cluster, a node or a resource for a while, and gives them back."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.domain.plan import Undo
from reconciler.steps import Args, Evidence, Where
from reconciler.steps._judge import by_exit
from reconciler.steps._shell import PRELUDE, flag
from reconciler.steps._show import typed
from reconciler.steps._undo import by_itself

KIND = "cluster_manager"
WHERE: Where = "host"
TIMEOUT_S = 900.0
REPEATABLE = True
INTERRUPTIBLE = False

# What pcs and crm set, they set with pacemaker's own tools, which are on every host of a cluster and say the same since
# 1.1. Only to stop and start a cluster they know more than systemctl.
BODY = (
    PRELUDE
    + r"""
what=$1 wanted=$2 subject=$3 back=$4 wait_s=$5
command -v crm_attribute >/dev/null || fail "crm_attribute of pacemaker is not on this host"
if [ "$what" = standby ] && [ -z "$subject" ]; then subject=$(crm_node -n); fi
about="$what${subject:+ of $subject}"
folder=$RECONCILER_HOME/saved/$RECONCILER_RUN/cluster
kept=$folder/$what.$(digest "$subject")

# get: prints the value, or `unset`; put VALUE: sets it, or takes it away.
option() {
  case $what in
  maintenance) crm_attribute --type crm_config --name maintenance-mode "$@" ;;
  standby) crm_attribute --type nodes --node "$subject" --name standby "$@" ;;
  esac
}
meta() { crm_resource --resource "$subject" --meta "$@"; }
active() { [ "$(systemctl show -p ActiveState -- "$1" | sed 's/.*=//')" = active ]; }
get() {
  case $what in
  managed)
    crm_resource --resource "$subject" --query-xml >/dev/null || fail "resource $subject is not in the cluster"
    value=$(meta --get-parameter is-managed 2>/dev/null || :)
    echo "${value:-unset}" ;;
  cluster) if active pacemaker || active corosync; then echo running; else echo stopped; fi ;;
  *) option --query --quiet --default unset ;;
  esac
}
put() {
  case $what.$1 in
  cluster.stopped) halt ;;
  cluster.running) launch ;;
  managed.unset) meta --delete-parameter is-managed ;;
  managed.*) meta --set-parameter is-managed --parameter-value "$1" ;;
  *.unset) option --delete ;;
  *) option --update "$1" ;;
  esac
}
halt() {
  if command -v pcs >/dev/null; then pcs cluster stop --force
  elif command -v crm >/dev/null; then crm cluster stop
  else systemctl stop pacemaker corosync; fi
  systemctl disable pacemaker corosync
}
launch() {
  boot=$(cut -d ' ' -f 2 <"$kept")
  [ "$boot" != enabled ] || systemctl enable corosync pacemaker
  if command -v pcs >/dev/null; then pcs cluster start
  elif command -v crm >/dev/null; then crm cluster start
  else systemctl start corosync pacemaker; fi
}
remember() {
  mkdir -p -- "$folder"
  [ ! -f "$kept" ] || return 0
  boot=-
  [ "$what" != cluster ] || boot=$(systemctl is-enabled pacemaker 2>/dev/null || :)
  printf '%s %s\n' "$(get)" "${boot:--}" >"$kept.part"
  flush "$kept.part"
  mv -f -- "$kept.part" "$kept"
  flush "$folder"
}
settle() {
  deadline=$(($(date +%s) + wait_s))
  until [ "$(get)" = "$wanted" ]; do
    [ "$(date +%s)" -lt "$deadline" ] || fail "$about is $(get) instead of $wanted after $wait_s s"
    sleep 1
  done
  # Resources that have to move first are waited for.
  [ "$what" != standby ] || crm_resource --wait --timeout "$wait_s"
}

if [ "$back" = yes ]; then
  if [ ! -f "$kept" ]; then echo "this run changed nothing here"; exit 0; fi
  wanted=$(cut -d ' ' -f 1 <"$kept")
else
  remember
fi
now=$(get)
if [ "$now" != "$wanted" ]; then put "$wanted"; fi
settle
value before "$now"
echo "$about is $wanted"
"""
)

State = Literal["maintenance", "normal", "standby", "online", "unmanaged", "managed", "stopped", "started"]
_SET = {
    "maintenance": ("maintenance", "true"),
    "normal": ("maintenance", "false"),
    "standby": ("standby", "on"),
    "online": ("standby", "off"),
    "unmanaged": ("managed", "false"),
    "managed": ("managed", "true"),
    "stopped": ("cluster", "stopped"),
    "started": ("cluster", "running"),
}


class Model(Args):
    """The state: of the whole cluster, of a `node` (empty: this one), of a `resource`, or of the cluster on this host.

    `back` brings what `state` would set back to what the run found.
    """

    state: State
    node: str = Field(default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9_.-]*)?$")
    resource: str = Field(default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9_.:-]*)?$")
    back: bool = False
    wait_s: int = Field(default=120, ge=1, le=3600)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.resource) != (self.state in {"unmanaged", "managed"}):
            raise ValueError("a resource is named where it is managed or unmanaged, and nowhere else")
        if self.node and self.state not in {"standby", "online"}:
            raise ValueError("a node is named for standby and online only")
        return self


def effect(args: Model) -> HostScript:
    """Render what is set, and to what."""
    what, wanted = _SET[args.state]
    return HostScript(body=BODY, args=(what, wanted, args.resource or args.node, flag(args.back), str(args.wait_s)))


def shows(args: Model) -> tuple[str, ...]:
    """Show the lines of pacemaker's tools."""
    if args.back:
        return (f"bring {_about(args)} back to what this run found",)
    what, wanted = _SET[args.state]
    update = ("--update", wanted)
    node = ("--node", args.node) if args.node else ()
    match what:
        case "maintenance":
            return (typed(("crm_attribute", "--type", "crm_config", "--name", "maintenance-mode", *update)),)
        case "standby":
            return (typed(("crm_attribute", "--type", "nodes", *node, "--name", "standby", *update)),)
        case "managed":
            chosen = ("--meta", "--set-parameter", "is-managed", "--parameter-value", wanted)
            return (typed(("crm_resource", "--resource", args.resource, *chosen)),)
    if args.state == "stopped":
        return "pcs cluster stop --force  # or crm cluster stop", "systemctl disable pacemaker corosync"
    return ("pcs cluster start  # or crm cluster start",)


def _about(args: Model) -> str:
    what = _SET[args.state][0]
    return {
        "maintenance": "the cluster's maintenance mode",
        "standby": f"node {args.node or 'of this host'}",
        "managed": f"resource {args.resource}",
    }.get(what, "the cluster on this host")


def title(args: Model) -> str:
    """Name the state."""
    if args.back:
        return f"bring {_about(args)} back"
    return {
        "maintenance": "put the cluster into maintenance mode",
        "normal": "end the cluster's maintenance mode",
        "stopped": "stop the cluster on this host",
        "started": "start the cluster on this host",
    }.get(args.state, f"{_about(args)}: {args.state}")


def undo(args: Model) -> Undo | None:
    """Bring back what the run found."""
    if args.back:
        return None
    return by_itself(KIND, args, title, back=True)


def proved(_args: Model) -> tuple[str, ...]:
    """Say what the script reads back."""
    return ("the script reads the state back until it is there",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script reads the state back."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `before`, what was set when it came."""
    return by_exit(evidence, hint="See `crm_mon -1` on the host.")
