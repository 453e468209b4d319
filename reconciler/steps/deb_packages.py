"""Downloads or installs exact versions of deb packages, and holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.domain.version import DEB
from reconciler.steps import Args, Evidence
from reconciler.steps._apt import APT, called
from reconciler.steps._judge import by_exit
from reconciler.steps._shell import PRELUDE, flag
from reconciler.steps._show import typed

KIND = "deb_packages"
TIMEOUT_S = 1800.0
REPEATABLE = True
INTERRUPTIBLE = False

# Debian policy, sections 5.6.1 and 5.6.12
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+.-]+$")]
Version = Annotated[str, Field(pattern=f"^(?:{DEB})$")]
POLICY = "/usr/sbin/policy-rc.d"

# Maintainer scripts start and restart services on their own. During a roll that is our business alone, so they are
# refused by the interface that Debian has for it: /usr/sbin/policy-rc.d, asked by invoke-rc.d and deb-systemd-invoke.
# (RUNLEVEL=1 is not heard by deb-systemd-invoke; masking would need every unit's name, also that of new ones.)
# The file is taken away on every exit; where even that fails (kill -9, power cut) it stands aside by itself: it
# refuses only while the process that wrote it lives, in the same boot. What was there before is asked otherwise.
_POLICY = r"""
write_policy() {
  [ -d "$(dirname -- "$policy")" ] || return 0
  theirs=$policy.before-reconciler
  if [ -e "$policy" ] && ! grep -q '^# reconciler: ' "$policy"; then mv -f -- "$policy" "$theirs"; fi
  trap 'remove_policy' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  cat >"$policy.part" <<POLICY
#!/bin/sh
# reconciler: no service is started by packages while step $$ of boot $boot runs
if [ "\$(cat /proc/sys/kernel/random/boot_id)" = "$boot" ] && kill -0 $$ 2>/dev/null; then exit 101; fi
if [ -x "\$0.before-reconciler" ]; then exec "\$0.before-reconciler" "\$@"; fi
exit 0
POLICY
  chmod 755 "$policy.part"
  mv -f -- "$policy.part" "$policy"
}
remove_policy() {
  if [ -e "$theirs" ]; then mv -f -- "$theirs" "$policy"; else rm -f -- "$policy"; fi
}
"""

# apt forgets the hold of every package that it changes: what was held at any time of the run is kept, and held again.
_REST = r"""
DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical UCF_FORCE_CONFFOLD=1
NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
export DEBIAN_FRONTEND DEBIAN_PRIORITY UCF_FORCE_CONFFOLD NEEDRESTART_SUSPEND APT_LISTCHANGES_FRONTEND
boot=$(cat /proc/sys/kernel/random/boot_id)
install() {
  [ "$remove" = yes ] || set -- --no-remove "$@"
  get install --allow-downgrades --allow-change-held-packages "$@"
}
remember_holds() {
  held=$RECONCILER_HOME/saved/$RECONCILER_RUN/held
  mkdir -p -- "$RECONCILER_HOME/saved/$RECONCILER_RUN"
  touch -- "$held"
  { apt-mark showhold; cat "$held"; } | sort -u >"$held.part"
  flush "$held.part"
  mv -f -- "$held.part" "$held"
}
hold_again() {
  while read -r package; do
    case $(dpkg-query -W -f '${Status}' -- "$package" 2>/dev/null || :) in
    *' ok installed') apt-mark hold "$package" >/dev/null ;;
    esac
  done <"$held"
  if [ "$hold" = yes ]; then for pair in "$@"; do apt-mark hold "${pair%%=*}" >/dev/null; done; fi
}
verify() {
  for pair in "$@"; do
    seen=$(dpkg-query -W -f '${Version} ${Status}\n' -- "${pair%%=*}" | sort -u)
    case $seen in
    "${pair#*=} install ok installed" | "${pair#*=} hold ok installed") ;;
    *) fail "package ${pair%%=*} is ${seen:-not there} instead of ${pair#*=}" ;;
    esac
  done
}
mend() {
  [ -n "$(dpkg --audit)" ] || return 0
  echo "dpkg was interrupted earlier: configuring what is left"
  dpkg --force-confdef --force-confold --configure -a </dev/null
}

case $action in
download)
  get update
  install --download-only "$@" ;;
install)
  remember_holds
  write_policy
  mend
  install "$@"
  hold_again "$@"
  verify "$@"
  flush /var/lib/dpkg/status ;;
*) fail "unknown action $action" ;;
esac
echo "$action: $*"
"""

BODY = PRELUDE + "policy=$1 action=$2 hold=$3 remove=$4\nshift 4\n" + APT + _POLICY + _REST


class Model(Args):
    """Exact versions by package. `remove` allows apt to remove others, as when a release renames its packages."""

    action: Literal["download", "install"]
    packages: Mapping[Name, Version] = Field(min_length=1)
    hold: bool = True
    remove: bool = False


def effect(args: Model) -> HostScript:
    """Render `name=version` pairs, sorted."""
    pairs = (f"{name}={version}" for name, version in sorted(args.packages.items()))
    return HostScript(body=BODY, args=(POLICY, args.action, flag(args.hold), flag(args.remove), *pairs))


def shows(args: Model) -> tuple[str, ...]:
    """Show the lines of apt."""
    pairs = tuple(f"{name}={version}" for name, version in sorted(args.packages.items()))
    allowed = () if args.remove else ("--no-remove",)
    install = ("--allow-downgrades", "--allow-change-held-packages", *allowed)
    if args.action == "download":
        return typed(called("update")), typed(called("install", *install, "--download-only", *pairs))
    hold = (typed(("apt-mark", "hold", *sorted(args.packages))),) if args.hold else ()
    return typed(called("install", *install, *pairs)), *hold


def proved(args: Model) -> tuple[str, ...]:
    """Say what dpkg must show."""
    return ("apt has fetched every package",) if args.action == "download" else ("dpkg shows exactly these versions",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script asks dpkg for the versions itself."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script, which ends well only with exactly these versions installed."""
    return by_exit(evidence, hint="See /var/log/apt/term.log on the host; is the repository whole and dpkg healthy?")
