"""Careful work on Open vSwitch: settings of ports, flows saved and restored, the fail mode, the kernel module."""

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

KIND = "openvswitch"
TIMEOUT_S = 300.0
REPEATABLE = True
INTERRUPTIBLE = False
WHERE: Where = "host"
CTL = "/usr/share/openvswitch/scripts/ovs-ctl"

# What was found is noted before the first change of a run, and by that noted once.
_OVS = r"""
action=$1 run=$2 bridge=$3 version=$4
shift 4
[ -n "$run" ] && [ "$run" != self ] || run=$RECONCILER_RUN
notes=$RECONCILER_HOME/saved/$run/openvswitch
command -v ovs-vsctl >/dev/null || fail "ovs-vsctl is not on this host"
vs() { ovs-vsctl --timeout=60 "$@"; }
of() { ovs-ofctl --timeout=60 ${version:+-O "$version"} "$@"; }
# note FILE: keeps what comes in, unless something is kept there already.
note() {
  mkdir -p -- "$notes"
  if [ -f "$1" ]; then cat >/dev/null; return 0; fi
  cat >"$1.part"
  flush "$1.part"
  mv -f -- "$1.part" "$1"
  flush "$notes"
}

# set PORT KEY VALUE...
set_ports() {
  vs list-ports "$bridge" >/dev/null
  while [ $# -gt 0 ]; do
    file=$notes/$(digest "port $1 $2")
    before=$(vs --if-exists get Port "$1" "other_config:$2")
    vs get Port "$1" name >/dev/null || fail "there is no port $1"
    printf '%s\n' "$before" | note "$file"
    vs set Port "$1" "other_config:$2=\"$3\""
    echo "port $1: $2=$3, before: ${before:-nothing}"
    shift 3
  done
}
reset_ports() {
  while [ $# -gt 0 ]; do
    file=$notes/$(digest "port $1 $2")
    if [ ! -f "$file" ]; then
      echo "port $1: $2 was not touched"
    elif [ -s "$file" ] && [ -n "$(cat -- "$file")" ]; then
      vs --if-exists set Port "$1" "other_config:$2=$(cat -- "$file")"
    else
      vs --if-exists remove Port "$1" other_config "$2"
    fi
    shift 3
  done
}
fail_mode() {
  before=$(vs get-fail-mode "$bridge")
  printf '%s\n' "$before" | note "$notes/$bridge.fail-mode"
  vs set-fail-mode "$bridge" "$1"
  [ "$(vs get-fail-mode "$bridge")" = "$1" ] || fail "the fail mode of $bridge did not change"
  value before "$(cat -- "$notes/$bridge.fail-mode")"
}
reset_fail_mode() {
  file=$notes/$bridge.fail-mode
  if [ ! -f "$file" ]; then echo "the fail mode of $bridge was not touched"; return 0; fi
  before=$(cat -- "$file")
  if [ -n "$before" ]; then vs set-fail-mode "$bridge" "$before"; else vs del-fail-mode "$bridge"; fi
  echo "fail mode of $bridge: ${before:-none}"
}
flows() {
  of dump-flows "$bridge" | sed -e '/^[A-Z]*ST_FLOW/d' -e 's/ duration=[^,]*,//; s/ n_packets=[^,]*,//' \
    -e 's/ n_bytes=[^,]*,//; s/ idle_age=[^,]*,//; s/ hard_age=[^,]*,//'
}
save_flows() {
  file=$notes/$bridge.flows
  if [ ! -f "$file" ]; then
    lines=$(flows)
    [ -n "$lines" ] || fail "$bridge has no flows to be saved"
    printf '%s\n' "$lines" | note "$file"
  fi
  value flows "$file"
  value count "$(grep -c . "$file")"
  echo "saved: $file"
}
# OpenFlow 1.0 cannot replace what is matched by extensions, only add it: flows that came since are found by the count.
restore_flows() {
  file=${1:-$notes/$bridge.flows}
  [ -s "$file" ] || fail "$file is not there"
  of replace-flows "$bridge" "$file" || of add-flows "$bridge" "$file"
  there=$(flows | grep -c .)
  [ "$there" = "$(grep -c . "$file")" ] || fail "$bridge has $there flows; $file has $(grep -c . "$file")"
  value count "$there"
}
reload_module() {
  [ -x "$1" ] || fail "$1 is not on this host"
  "$1" force-reload-kmod
  vs show >/dev/null || fail "the switch does not answer after the reload"
  value module "$(cat /sys/module/openvswitch/version /sys/module/openvswitch/srcversion 2>/dev/null | head -n 1)"
}
# Zones in the flows, where 0 is not written, and in the raw table of iptables.
zone() {
  found=$({
    of dump-flows "$bridge" | grep -o 'zone=[^,)]*' | cut -d = -f 2
    if command -v iptables-save >/dev/null; then
      iptables-save -t raw | sed -n 's/.*--zone\(-[a-z]*\)\{0,1\} \([0-9]*\).*/\2/p'
    fi
  } | sort -u)
  for one in $found; do [ "$one" = "$1" ] || fail "conntrack zone $one is in use on $bridge, instead of $1 alone"; done
  echo "zones in use: ${found:-none}"
}

"$action" "$@"
"""
BODY = PRELUDE + _OVS

Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:/-]*$")]


class Model(Args):
    """What is done on `bridge`.

    `set` writes `other_config` of `ports` (port to key to value); `fail_mode` is secure or standalone; `save_flows`
    keeps the flows in a file of the run, `restore_flows` makes them those of `file`, or of the run's own;
    `reload_module` loads the kernel module of the installed package, which drops traffic for a moment; `zone` sees that
    no conntrack zone but `zone` is in use. `openflow` is the version that is spoken with the bridge, empty for the
    tool's choice.
    """

    action: Literal["set", "fail_mode", "save_flows", "restore_flows", "reload_module", "zone"]
    bridge: str = Field(default="br-int", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    openflow: Literal["", "OpenFlow10", "OpenFlow13", "OpenFlow14", "OpenFlow15"] = ""
    ports: Mapping[Word, Mapping[Word, Word]] = {}
    mode: Literal["secure", "standalone"] = "secure"
    file: str = Field(default="", pattern="^(/.*)?$")
    zone: int = Field(default=0, ge=0, le=65535)
    ovs_ctl: str = Field(default=CTL, pattern="^/")
    restore_from: str = Field(default="", pattern=r"^([A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)?$")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.action == "set") != bool(self.ports):
            raise ValueError("ports are what `set` writes")
        if self.restore_from and self.action not in {"set", "fail_mode"}:
            raise ValueError(f"{self.action} is not taken back")
        return self


def effect(args: Model) -> HostScript:
    """Render the action."""
    return HostScript(body=BODY, args=(_function(args), args.restore_from, args.bridge, args.openflow, *_words(args)))


def _function(args: Model) -> str:
    names = {"set": "reset_ports", "fail_mode": "reset_fail_mode"} if args.restore_from else {"set": "set_ports"}
    return names.get(args.action, args.action)


def _words(args: Model) -> tuple[str, ...]:
    match args.action:
        case "set":
            return tuple(
                word for port, keys in args.ports.items() for key, text in keys.items() for word in (port, key, text)
            )
        case "fail_mode":
            return (args.mode,)
        case "restore_flows":
            return (args.file,)
        case "reload_module":
            return (args.ovs_ctl,)
        case "zone":
            return (str(args.zone),)
    return ()


def shows(args: Model) -> tuple[str, ...]:
    """Show the orders."""
    ofctl = ("ovs-ofctl", *(("-O", args.openflow) if args.openflow else ()))
    match args.action:
        case _ if args.restore_from:
            return (f"put back {_what(args)} as it was before run {args.restore_from}",)
        case "set":
            return tuple(
                typed(
                    ("ovs-vsctl", "set", "Port", port, *(f'other_config:{key}="{text}"' for key, text in keys.items()))
                )
                for port, keys in args.ports.items()
            )
        case "fail_mode":
            return (typed(("ovs-vsctl", "set-fail-mode", args.bridge, args.mode)),)
        case "restore_flows":
            return (typed((*ofctl, "replace-flows", args.bridge, args.file or f"{args.bridge}.flows")),)
        case "reload_module":
            return (typed((args.ovs_ctl, "force-reload-kmod")),)
    return (typed((*ofctl, "dump-flows", args.bridge)),)


def _what(args: Model) -> str:
    return f"other_config of {', '.join(args.ports)}" if args.action == "set" else f"the fail mode of {args.bridge}"


def title(args: Model) -> str:
    """Name what is done."""
    if args.restore_from:
        return f"put back {_what(args)}"
    return {
        "set": f"set {_what(args)}",
        "fail_mode": f"let {args.bridge} fail {args.mode}",
        "save_flows": f"save the flows of {args.bridge}",
        "restore_flows": f"restore the flows of {args.bridge}",
        "reload_module": "reload the kernel module of Open vSwitch",
        "zone": f"see no conntrack zone but {args.zone} on {args.bridge}",
    }[args.action]


def proved(args: Model) -> tuple[str, ...]:
    """Say what the switch is asked."""
    told = {
        "fail_mode": "the fail mode is read back",
        "restore_flows": "the bridge has as many flows as the file",
        "reload_module": "the switch answers after the reload",
    }
    return (told.get(args.action, "exit code 0"),)


def undo(args: Model) -> Undo | None:
    """Put settings back as the run found them."""
    if args.restore_from or args.action not in {"set", "fail_mode"}:
        return None
    return by_itself(KIND, args, title, restore_from="self")


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script asks the switch."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; `save_flows` leaves `flows` and `count`, `fail_mode` leaves `before`."""
    return by_exit(evidence, hint="See `ovs-vsctl show` and the log of ovs-vswitchd on the host.")
