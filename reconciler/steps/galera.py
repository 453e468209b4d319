"""Holds a database node back with its data, brings it into the cluster again, or begins a cluster from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from reconciler.domain.desired import SecretRef
from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.domain.plan import Undo
from reconciler.steps import Args, Evidence, Where
from reconciler.steps._judge import by_exit
from reconciler.steps._probe import ASK
from reconciler.steps._shell import PRELUDE, flag
from reconciler.steps._show import typed
from reconciler.steps._systemd import DROPINS, SYSTEMD, conditions
from reconciler.steps._undo import by_itself

KIND = "galera"
WHERE: Where = "host"
TIMEOUT_S = 14400.0
REPEATABLE = True
INTERRUPTIBLE = False
REPLICATION_PORT = 4567

# A node knows where its data stand by grastate.dat: `seqno` is -1 while it runs and after a crash, and a number once it
# was stopped in good order. Only such a one may begin a cluster, and only when nobody else still is one.
BODY = (
    PRELUDE
    + SYSTEMD
    + ASK
    + r"""
action=$1 unit=$2 datadir=$3 socket=$4 user=$5 size=$6 fresh=$7 wait_s=$8 dropins=$9
shift 9
port=$1
shift
mark=$RECONCILER_HOME/held/galera
grastate=$datadir/grastate.dat
tool=$(command -v mariadb || command -v mysql) || fail "neither mariadb nor mysql is on this host"

query() {
  set -- ${socket:+"--socket=$socket"} ${user:+"--user=$user"} -N -B -r -e "$1"
  if [ -z "${PASSWORD-}" ]; then "$tool" "$@"; return; fi
  {
    printf '[client]\npassword="%s"\n' "$(printf '%s' "$PASSWORD" | sed 's/[\\"]/\\&/g')" |
      HOME=/nonexistent "$tool" --defaults-extra-file=/dev/fd/3 "$@" 3<&0 <&4 4<&-
  } 4<&0
}
# look: sets ready, primary, comment and members as the node sees them; fails when it does not answer.
look() {
  ready=- primary=- comment=- members=0
  seen=$(query "SHOW GLOBAL STATUS LIKE 'wsrep\\_%'" 2>&1) || return 1
  ready=$(column wsrep_ready) primary=$(column wsrep_cluster_status)
  comment=$(column wsrep_local_state_comment) members=$(column wsrep_cluster_size)
  members=${members:-0}
}
# Where the members are: as they say it themselves, and as this node was told to look for them.
addresses() {
  wanted=$(query "SHOW GLOBAL VARIABLES LIKE 'wsrep_cluster_address'" | cut -f 2 | sed 's|^gcomm://||; s|[?].*||')
  printf '%s\n' "$(column wsrep_incoming_addresses),$wanted" | tr , '\n' | sed 's/:[0-9]*$//' |
    grep -E '^[A-Za-z0-9[][A-Za-z0-9:.-]*]?$' | grep -Evx 'AUTO|unspecified' | sort -u
}
column() { printf '%s\n' "$seen" | awk -F '\t' -v name="$1" '$1 == name { print $2 }'; }
synced() { look && [ "$ready $primary $comment" = "ON Primary Synced" ] && [ "$members" -ge "$1" ]; }
told() { echo "ready ${ready:--}, ${primary:--}, ${comment:--}, $members members"; }
wait_for() {
  deadline=$(($(date +%s) + wait_s))
  until synced "$1"; do
    [ "$(show ActiveState "$unit")" != failed ] || fail "$unit failed: see its log"
    [ "$(date +%s)" -lt "$deadline" ] || fail "the node is not in its cluster after $wait_s s: $(told)"
    sleep 1
  done
  value members "$members"
  echo "in the cluster: $(told)"
}
position() { sed -n "s/^$1: *//p" "$grastate" 2>/dev/null; }
stands() {
  [ -f "$grastate" ] || fail "$grastate is not there: is $datadir the folder of the data?"
  case $(position seqno) in '' | -*) fail "the node was not stopped in good order: its position is not known" ;; esac
  value uuid "$(position uuid)"
  value seqno "$(position seqno)"
}

hold() {
  if [ -f "$mark" ] && down "$unit"; then stands; echo "held back already"; return 0; fi
  synced 1 || fail "only a synced node can be held back: $(told)"
  [ "$members" -ge "${size:-2}" ] || fail "with $members members nobody would go on serving"
  others=$*
  if [ $# = 0 ]; then
    others=$(addresses)
    [ "$(printf '%s\n' $others | grep -c .)" -ge "$((members - 1))" ] ||
      fail "the cluster does not say where its $members members are: name the others in \`others\`"
  fi
  mkdir -p -- "${mark%/*}"
  printf '%s\n' "$RECONCILER_RUN" $others >"$mark"
  flush "$mark"
  hold_down "$unit"
  systemctl stop -- "$unit"
  down "$unit" || fail "$unit is still running"
  stands
  echo "held back"
}
rejoin() {
  if ! up "$unit"; then
    down "$unit" || fail "$unit is neither up nor down"
    # Without a position all data come from the cluster.
    if [ "$fresh" = yes ] && [ -f "$grastate" ]; then mv -f -- "$grastate" "$grastate.before-$RECONCILER_RUN"; fi
    let_up "$unit"
    systemctl start --no-block -- "$unit"
  fi
  wait_for "${size:-2}"
  rm -f -- "$mark"
}
# Those that `hold` wrote down, where none are named; this node itself is down and may be among them.
alone() {
  limit=5
  [ $# -gt 0 ] || [ ! -f "$mark" ] || { set -f; set -- $(sed 1d "$mark"); }
  [ $# -gt 0 ] || fail "who begins a cluster must know that nobody else still is one: name the others"
  for other; do
    ! connect "$other" "$port" 2>/dev/null || fail "$other still is in a cluster: there would be two"
  done
}
bootstrap() {
  if up "$unit"; then
    synced "${size:-1}" || fail "$unit runs and is no cluster: $(told). Stop it first"
  else
    down "$unit" || fail "$unit is neither up nor down"
    alone "$@"
    stands
    command -v galera_new_cluster >/dev/null || fail "galera_new_cluster is not on this host"
    cp -p -- "$grastate" "$grastate.reconciler"
    sed -i 's/^safe_to_bootstrap:.*/safe_to_bootstrap: 1/' "$grastate.reconciler"
    flush "$grastate.reconciler"
    mv -f -- "$grastate.reconciler" "$grastate"
    let_up "$unit"
    galera_new_cluster
  fi
  wait_for "${size:-1}"
  rm -f -- "$mark"
}
check() { wait_for "${size:-1}"; }
leave() {
  if ! down "$unit"; then
    hold_down "$unit"
    systemctl stop -- "$unit"
  fi
  down "$unit" || fail "$unit is still running"
  echo "down"
}

case $action in
check | follow | yield) check ;;
hold | rejoin | bootstrap | leave) "$action" "$@" ;;
*) fail "unknown action $action" ;;
esac
"""
)

Other = Annotated[str, Field(pattern=r"^[A-Za-z0-9:][A-Za-z0-9.:-]*$")]


class Model(Args):
    """What is done with the node of this host; `size` is how many members there must be at least.

    `others` are the addresses of the other nodes, none of which may still be a member when a cluster begins here; by
    default those that the node saw when it was held. `follow` and `yield` only look, as `check` does: they stand in a
    procedure around the `hold` of another node for the way back, on which a node that yields leaves its cluster before
    the held one begins it anew, and one that follows joins that one.
    `fresh` forgets the node's own position, so that it takes all data from the cluster. An empty `user` is the host's
    own way in.
    """

    action: Literal["hold", "rejoin", "bootstrap", "check", "follow", "yield", "leave"]
    unit: str = Field(default="mariadb", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]*$")
    datadir: str = Field(default="/var/lib/mysql", pattern=r"^/[^\x00-\x1f]*[^\x00-\x1f/]$")
    socket: str = Field(default="", pattern=r"^(/[^\x00-\x1f]*)?$")
    user: str = Field(default="", pattern=r"^([A-Za-z0-9_][A-Za-z0-9_.-]*)?$")
    password: str = ""
    secret_refs: Mapping[str, SecretRef] = {}
    size: int | None = Field(default=None, ge=1, le=100)
    others: tuple[Other, ...] = ()
    fresh: bool = False
    wait_s: int = Field(default=600, ge=1, le=14000)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.fresh and self.action != "rejoin":
            raise ValueError("fresh is for rejoin only")
        if self.password and "{secret:" not in self.password:
            raise ValueError("a password is named as {secret:NAME}")
        return self


def effect(args: Model) -> HostScript:
    """Render the order; the password goes by stdin."""
    node = (args.action, args.unit, args.datadir, args.socket, args.user)
    wanted = ("" if args.size is None else str(args.size), flag(args.fresh), str(args.wait_s))
    secrets = {"PASSWORD": args.password} if args.password else {}
    return HostScript(
        body=BODY,
        args=(*node, *wanted, DROPINS, str(REPLICATION_PORT), *args.others),
        secrets=secrets,
        secret_refs=args.secret_refs if args.password else {},
    )


def shows(args: Model) -> tuple[str, ...]:
    """Show the orders to the unit."""
    grastate = f"{args.datadir}/grastate.dat"
    forget = (typed(("mv", grastate, f"{grastate}.before-RUN")),) if args.fresh else ()
    look = "mariadb -e \"SHOW GLOBAL STATUS LIKE 'wsrep%'\""
    down, up = conditions((args.unit,), stopped=True), conditions((args.unit,), stopped=False)
    orders = {
        "hold": (look, *down, typed(("systemctl", "stop", args.unit))),
        "rejoin": (*forget, *up, typed(("systemctl", "start", args.unit)), look),
        "bootstrap": (f"set safe_to_bootstrap to 1 in {grastate}", *up, "galera_new_cluster", look),
        "leave": (*down, typed(("systemctl", "stop", args.unit))),
    }
    return orders.get(args.action, (look,))


def title(args: Model) -> str:
    """Name the order."""
    return {
        "hold": "hold this database node back with its data",
        "rejoin": "bring this database node into the cluster again",
        "bootstrap": "begin the database cluster from this node",
        "leave": "take this database node out of its cluster",
    }.get(args.action, "see this database node in its cluster")


def undo(args: Model) -> Undo | None:
    """Let a node that was held back begin the cluster again, between the others' leaving and their joining it."""
    action = {"hold": "bootstrap", "yield": "leave", "follow": "rejoin"}.get(args.action)
    if action is None:
        return None
    return by_itself(KIND, args, title, action=action, size=None, fresh=args.action == "follow")


def proved(args: Model) -> tuple[str, ...]:
    """Say what the node shows."""
    if args.action == "hold":
        return (f"{args.unit} is down, and grastate.dat says where its data stand",)
    if args.action == "leave":
        return (f"{args.unit} is down",)
    members = args.size or (2 if args.action == "rejoin" else 1)
    return (f"the node is ready, primary and synced among at least {members} members, read by SQL",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the node itself is asked by SQL."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `uuid` and `seqno` of a node that was held back, and `members` of the cluster."""
    return by_exit(evidence, hint="Read the unit's log, and ask the other nodes for wsrep_cluster_status.")
