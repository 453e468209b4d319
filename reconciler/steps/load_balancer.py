"""Takes a server out of HAProxy's work, waits until its sessions have ended, and brings it back."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.domain.plan import Undo
from reconciler.steps import Args, Evidence, Where
from reconciler.steps._judge import by_exit
from reconciler.steps._shell import PRELUDE, flag
from reconciler.steps._show import typed
from reconciler.steps._undo import by_itself

KIND = "load_balancer"
WHERE: Where = "host"
TIMEOUT_S = 7200.0
REPEATABLE = True
INTERRUPTIBLE = True

# HAProxy's management guide, section 9.3: `show servers state` tells by bits why a server is out of work. Bits that an
# order does not set (by inheritance, by the configuration) are told too, and are not ours to change.
BODY = (
    PRELUDE
    + r"""
socket=$1 backend=$2 server=$3 wanted=$4 sessions=$5 wait_s=$6 back=$7
[ -S "$socket" ] || fail "$socket is not a socket: is haproxy running, with a stats socket of level admin?"
folder=$RECONCILER_HOME/saved/$RECONCILER_RUN/load_balancer
kept=$folder/$(digest "$socket $backend/$server")

if command -v socat >/dev/null; then
  ask() { printf '%s\n' "$1" | socat -t 10 - "UNIX-CONNECT:$socket"; }
else
  python=$(command -v python3 || command -v python) || fail "neither socat nor python is on this host"
  ask() {
    "$python" -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(10)
s.connect(sys.argv[1])
s.sendall((sys.argv[2] + "\n").encode())
while True:
    answer = s.recv(65536)
    if not answer:
        break
    sys.stdout.write(answer.decode("utf-8", "replace"))' "$socket" "$1"
  }
fi
# An order that was carried out has no answer.
order() { said=$(ask "$1"); case $said in *[![:space:]]*) fail "haproxy refused '$1': $said" ;; esac; }

# state: prints ready, drain or maint: bits 1 (forced) of maintenance and 8 of draining in srv_admin_state.
state() {
  bits=$(ask "show servers state $backend" |
    awk -v server="$server" '/^#/ { for (i = 2; i <= NF; i++) column[$i] = i - 1; next }
      $column["srv_name"] == server { print $column["srv_admin_state"]; exit }')
  [ -n "$bits" ] || fail "haproxy has no server $server in backend $backend"
  if [ $((bits & 1)) -ne 0 ]; then echo maint; elif [ $((bits & 8)) -ne 0 ]; then echo drain; else echo ready; fi
}
# stat NAME: prints a column of the server's statistics.
stat() {
  ask "show stat" | awk -F , -v name="$1" -v backend="$backend" -v server="$server" '
    /^# / { sub(/^# /, ""); for (i = 1; i <= NF; i++) if ($i == name) column = i; next }
    $1 == backend && $2 == server { print $column; exit }'
}
remember() {
  mkdir -p -- "$folder"
  [ ! -f "$kept" ] || return 0
  printf '%s\n' "$now" >"$kept.part"
  flush "$kept.part"
  mv -f -- "$kept.part" "$kept"
  flush "$folder"
}
# What is ready serves: a server whose checks fail is no way back. One without checks is believed.
reached() {
  case $wanted in
  ready) case $(stat status) in UP* | 'no check') return 0 ;; esac; left=$(stat status); return 1 ;;
  *) left="$(stat scur) sessions"; [ "$(stat scur)" -le "$sessions" ] ;;
  esac
}

now=$(state)
if [ "$back" = yes ]; then
  if [ ! -f "$kept" ]; then echo "this run changed nothing here"; exit 0; fi
  wanted=$(cat "$kept")
else
  remember
fi
[ "$now" = "$wanted" ] || order "set server $backend/$server state $wanted"
[ "$(state)" = "$wanted" ] || fail "server $backend/$server is $(state) instead of $wanted"
deadline=$(($(date +%s) + wait_s))
until reached; do
  [ "$(date +%s)" -lt "$deadline" ] || fail "server $backend/$server is $wanted and has $left after $wait_s s"
  sleep 1
done
value before "$now"
value sessions "$(stat scur)"
echo "server $backend/$server is $wanted"
"""
)


class Model(Args):
    """A server of a backend, and whether it gets no new sessions (drain), none at all (maint) or is ready again.

    `sessions` is how many may be left, `wait_s` how long they are waited for. `back` brings the server back to what
    the run found it in.
    """

    backend: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:-]*$")
    server: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:-]*$")
    state: Literal["drain", "maint", "ready"]
    socket: str = Field(default="/run/haproxy/admin.sock", pattern=r"^/[^\x00-\x1f,:!]*$")
    sessions: int = Field(default=0, ge=0)
    wait_s: int = Field(default=300, ge=1, le=7000)
    back: bool = False


def effect(args: Model) -> HostScript:
    """Render the server, its state, and what is waited for."""
    place = (args.socket, args.backend, args.server, args.state)
    return HostScript(body=BODY, args=(*place, str(args.sessions), str(args.wait_s), flag(args.back)))


def shows(args: Model) -> tuple[str, ...]:
    """Show the order, and what is waited for."""
    if args.back:
        return (f"set server {args.backend}/{args.server} to the state that this run found",)
    order = typed(("echo", f"set server {args.backend}/{args.server} state {args.state}"))
    until = "serves" if args.state == "ready" else f"has {args.sessions} sessions"
    return (f"{order} | {typed(('socat', '-', f'UNIX-CONNECT:{args.socket}'))}  # until it {until}",)


def title(args: Model) -> str:
    """Name the server."""
    where = f"{args.backend}/{args.server}"
    if args.back:
        return f"bring server {where} of the load balancer back"
    return {
        "drain": f"drain server {where} of the load balancer",
        "maint": f"take server {where} out of the load balancer",
        "ready": f"put server {where} into the load balancer",
    }[args.state]


def undo(args: Model) -> Undo | None:
    """Bring the server back to the state that the run found."""
    if args.back:
        return None
    return by_itself(KIND, args, title, back=True)


def proved(_args: Model) -> tuple[str, ...]:
    """Say what the script reads back."""
    return ("the load balancer shows the state, and how many sessions are left",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script reads state and sessions back."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `before`, the state that was, and `sessions`, those that are left."""
    return by_exit(evidence, hint="Ask `show servers state` and `show stat` at haproxy's socket.")
