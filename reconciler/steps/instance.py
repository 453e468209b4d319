"""Creates an instance, probes whether it can be reached, and deletes it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.domain.plan import Undo
from reconciler.steps import Evidence, Where, _openstack
from reconciler.steps._judge import by_exit
from reconciler.steps._openstack import OPENSTACK, Cloud
from reconciler.steps._shell import PRELUDE
from reconciler.steps._show import typed
from reconciler.steps._undo import by_itself

KIND = "instance"
TIMEOUT_S = 1800.0
REPEATABLE = True
INTERRUPTIBLE = True
WHERE: Where = "host"

_INSTANCE = r"""
action=$1 name=$2 flavor=$3 image=$4 network=$5 zone=$6 run=$7
shift 7
[ "$run" != self ] || run=$RECONCILER_RUN
notes=$RECONCILER_HOME/saved/${run:-$RECONCILER_RUN}/instances
note=$notes/$(digest "$name")

# The instance is looked for by its exact name, which must be its alone.
find_it() {
  id=$(answer server list --name "^$name\$" -f value -c ID)
  case $id in *' '* | *'
'*) fail "there are several instances named $name" ;; esac
}
show() { answer server show "$id" -f value -c "$1"; }

create() {
  find_it
  if [ -z "$id" ]; then
    mkdir -p -- "$notes"
    : >"$note"
    flush "$note" "$notes"
    set -- --flavor "$flavor" --image "$image" --network "$network" --wait "$name"
    [ -z "$zone" ] || set -- --availability-zone "$zone" "$@"
    os server create "$@" >/dev/null
    find_it
  fi
  [ -n "$id" ] || fail "$name is not there after it was created"
  status=$(show status)
  [ "$status" = ACTIVE ] || fail "$name is $status"
  # {'net': ['10.0.0.5']} or, from older releases, net=10.0.0.5
  address=$(show addresses | tr "=,;{}[]'\" " '\n' | grep -E '^([0-9]+\.){3}[0-9]+$|^[0-9a-f]*:[0-9a-f:]+$' | head -n 1)
  [ -n "$address" ] || fail "$name has no address"
  value id "$id"
  value address "$address"
  echo "$name is $status at $address"
}
delete() {
  if [ -n "$run" ] && [ ! -f "$note" ]; then echo "run $run did not create $name"; return 0; fi
  find_it
  if [ -n "$id" ]; then os server delete --wait "$id"; fi
  rm -f -- "$note"
  echo "$name is gone"
}

case $action in create | delete) "$action" ;; *) fail "unknown action $action" ;; esac
"""
BODY = PRELUDE + OPENSTACK + _INSTANCE

PROBE_BODY = (
    PRELUDE
    + r"""
address=$1 count=$2
command -v ping >/dev/null || fail "ping is not on this host"
ping -n -c "$count" -W 2 "$address" || fail "$address does not answer"
"""
)


Word = Annotated[str, Field(pattern=r"^([^-].*)?$")]  # none that a command line takes for an option


class Model(Cloud):
    """What is done: `create` and `delete` by `name`, or `probe` of an `address` by echo requests, all of them answered.

    `zone` is an availability zone, as `nova:HOST` for a certain host. `restore_from` is a run's id, or `self`: deletes
    only what that run created.
    """

    action: Literal["create", "probe", "delete"]
    name: str = Field(default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9_-]*)?$")
    flavor: Word = ""
    image: Word = ""
    network: Word = ""
    zone: Word = ""
    address: Word = ""
    count: int = Field(default=3, ge=1, le=100)
    restore_from: str = Field(default="", pattern=r"^([A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)?$")

    @model_validator(mode="after")
    def _check(self) -> Self:
        needed = {
            "create": {"name": self.name, "flavor": self.flavor, "image": self.image, "network": self.network},
            "probe": {"address": self.address},
            "delete": {"name": self.name},
        }
        if missing := [key for key, text in needed[self.action].items() if not text]:
            raise ValueError(f"{self.action} needs {', '.join(missing)}")
        if self.restore_from and self.action != "delete":
            raise ValueError("only a deletion takes back")
        return self


def effect(args: Model) -> HostScript:
    """Render the action; an instance of that name that is there already is not created again."""
    if args.action == "probe":
        return HostScript(body=PROBE_BODY, args=(args.address, str(args.count)))
    what = (args.action, args.name, args.flavor, args.image, args.network, args.zone, args.restore_from)
    return _openstack.script(args, BODY, what)


def shows(args: Model) -> tuple[str, ...]:
    """Show the call."""
    if args.action == "probe":
        return (typed(("ping", "-n", "-c", str(args.count), "-W", "2", args.address)),)
    if args.action == "delete":
        return (_openstack.shown(args, "server", "delete", "--wait", args.name),)
    zone = ("--availability-zone", args.zone) if args.zone else ()
    what = ("--flavor", args.flavor, "--image", args.image, "--network", args.network, "--wait", args.name)
    return (_openstack.shown(args, "server", "create", *zone, *what),)


def title(args: Model) -> str:
    """Name the instance."""
    return f"{args.action} instance {args.name}" if args.name else f"see that {args.address} answers"


def undo(args: Model) -> Undo | None:
    """Delete what was created."""
    if args.action != "create":
        return None
    return by_itself(KIND, args, title, action="delete", restore_from="self")


def proved(_args: Model) -> tuple[str, ...]:
    """Say what the script reads back."""
    return ("the cloud's API shows the instance in that state",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script asks for the instance's state."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; a creation leaves `id` and `address`."""
    return by_exit(evidence)
