"""Reboots a host; that it is in another boot afterwards is the proof."""

from __future__ import annotations

from pydantic import Field

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.steps import Args, Evidence, Where
from reconciler.steps._judge import by_exit
from reconciler.steps._shell import PRELUDE

KIND = "reboot"
WHERE: Where = "host"
TIMEOUT_S = 3600.0
REPEATABLE = True  # the boot before the first attempt is kept: who finds another one does not reboot again
INTERRUPTIBLE = False
BOOT_ID = "/proc/sys/kernel/random/boot_id"

# The attempt that reboots dies with the host, is settled as lost, and is repeated: the next one finds another boot.
# An order to end comes from the shutdown. It must not become an exit code, for that would be a failure: whoever would
# write it ($$ is the shell that carries the step) is killed. Not at once: while we live nobody takes us for dead.
BODY = (
    PRELUDE
    + r"""
boot_id=$1 wait_s=$2
now=$(cat "$boot_id")
step=${RECONCILER_VALUES%/*/*}
folder=$RECONCILER_HOME/saved/$RECONCILER_RUN/reboot
kept=$folder/${step##*/}
if [ -f "$kept" ] && [ "$(cat "$kept")" != "$now" ]; then
  value before "$(cat "$kept")"
  value boot_id "$now"
  echo "booted anew: $now"
  exit 0
fi
mkdir -p -- "$folder"
printf '%s\n' "$now" >"$kept.part"
flush "$kept.part"
mv -f -- "$kept.part" "$kept"
flush "$folder"
trap 'sleep 5; kill -KILL $$; exit 1' TERM HUP
if command -v systemctl >/dev/null; then systemctl reboot; else reboot; fi || echo "reboot: exit code $?"
deadline=$(($(date +%s) + wait_s))
while [ "$(date +%s)" -lt "$deadline" ]; do sleep 1 || :; done
fail "the host was told to reboot and is in the same boot after $wait_s s"
"""
)


class Model(Args):
    """How long the host may take to go down; its way up is not timed here, but by the step's timeout."""

    wait_s: int = Field(default=300, ge=1, le=3600)


def effect(args: Model) -> HostScript:
    """Render the order."""
    return HostScript(body=BODY, args=(BOOT_ID, str(args.wait_s)))


def shows(_args: Model) -> tuple[str, ...]:
    """Show the order."""
    return ("systemctl reboot",)


def title(_args: Model) -> str:
    """Say it."""
    return "reboot"


def undo(_args: Model) -> None:
    """Have nothing to take back."""
    return


def proved(_args: Model) -> tuple[str, ...]:
    """Say what the script reads back."""
    return ("the host answers with another boot id",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof beyond the boot id, which the script compares."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script, which ends only in another boot; leaves `before` and `boot_id`."""
    return by_exit(evidence, hint="Look at the host's console.")
