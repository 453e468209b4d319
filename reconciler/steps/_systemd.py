"""How scripts ask systemd for a unit, and hold it down."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.steps._show import typed

DROPINS = "/etc/systemd/system"

SYSTEMD = r"""
show() { systemctl show -p "$1" -- "$2" | sed -n "s/^$1=//p"; }
absent() { [ "$(show LoadState "$1")" = not-found ] && [ "$(show ActiveState "$1")" = inactive ]; }
up() { [ "$(show ActiveState "$1")" = active ]; }
down() {
  case $(show ActiveState "$1") in inactive | failed) ;; *) return 1 ;; esac
  case $(show MainPID "$1") in 0 | '') ;; *) return 1 ;; esac
}
# What was stopped must not come back by a reboot, a package or a dependency while the rest of the leg counts on that:
# a condition holds it down until a step starts it.
condition() { echo "$dropins/$(show Id "$1").d/zz-reconciler.conf"; }
hold_down() {
  for unit in "$@"; do
    file=$(condition "$unit")
    (umask 022; mkdir -p -- "${file%/*}"; cat >"$file") <<CONDITION
# reconciler stopped it in run $RECONCILER_RUN and will start it again.
# To start it by hand, remove this file and say: systemctl daemon-reload
[Unit]
ConditionPathExists=/nonexistent/stopped-by-reconciler
CONDITION
    flush "$file"
  done
  systemctl daemon-reload
}
let_up() {
  held=no
  for unit in "$@"; do
    file=$(condition "$unit")
    [ -e "$file" ] || continue
    held=yes
    rm -f -- "$file"
    rmdir -- "${file%/*}" 2>/dev/null || :
  done
  [ "$held" = no ] || systemctl daemon-reload
}
"""


def conditions(units: Iterable[str], *, stopped: bool) -> tuple[str, ...]:
    """Show what holds stopped units down, and what lets them up again."""
    names = (unit if "." in unit else f"{unit}.service" for unit in units)
    files = tuple(f"{DROPINS}/{name}.d/zz-reconciler.conf" for name in names)
    if stopped:
        return *(typed(("install", "-m", "0644", "/dev/stdin", file)) for file in files), "systemctl daemon-reload"
    return (f"{typed(('rm', '-f', *files))} && systemctl daemon-reload  # where a step has stopped them",)
