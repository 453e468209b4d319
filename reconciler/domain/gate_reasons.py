"""What each reason of a closed gate means, and who can do what about it."""

from __future__ import annotations

from reconciler.domain.reason import Reason

GATE_TEXTS: dict[Reason, tuple[str, str]] = {
    Reason.ALERT_FIRING: (
        "Something fires in the fleet's Prometheus that must not while a leg begins.",
        "See to it; or `accept` an `alerts:SERVICE` in git, with a name, a reason and a day.",
    ),
    Reason.ALERT_UNKNOWN: (
        "Nobody can tell whether something fires: no Prometheus answered, or not lately.",
        "See to the Prometheus of `fleet.prometheus` and to the query, or name `present`: silence is not quiet.",
    ),
    Reason.APPROVAL_MISSING: (
        "Git asks for the approval of people before this plan, or its next wave, goes on.",
        "Read the plan, then `reconciler approve PLAN --why TEXT`; or add it under `approve` in git.",
    ),
    Reason.REHEARSAL_MISSING: (
        "Git asks for a rehearsal of the databases' walk before the leg, and none has passed lately.",
        "`reconciler rehearse SERVICE`; `reconciler history` shows how the last one went; mend what failed in git.",
    ),
    Reason.BACKUP_MISSING: (
        "Git asks for a young backup set, proved so far, before the leg's pause, and there is none.",
        "`reconciler rehearse SERVICE` makes and tries one; `reconciler backups SERVICE` lists what is there.",
    ),
    Reason.QUARANTINED_SERVING: (
        "A host in quarantine answers and still runs a service whose databases would be changed or put back by now.",
        "Stop and disable on HOST what the text names, or switch it off; the daemon asks again by itself.",
    ),
    Reason.DISK_SPACE_SHORT: (
        "A host has less free space than the desired state asks for, or nobody can tell how much.",
        "Make room there; or `accept` a `disk_space:SERVICE` in git, with a name, a reason and a day.",
    ),
    Reason.DRIFT_REPEATS: (
        "Hosts have left what they were brought to, over and over: something else changes them, too.",
        "Find it (Ansible, cron, a person) and stop it; then `accept` a `repeats:SERVICE` in git, or wait.",
    ),
    Reason.FLEET_HALTED: (
        "Another group is halted, and git says that its halts stop the whole fleet.",
        "Mend what halted it and clear that halt; or `accept` a `halts:SERVICE` in git to let this one go on.",
    ),
    Reason.WINDOW_CLOSED: (
        "No maintenance window is open for the group; what runs is let finish, and nothing forward is begun.",
        "Wait; or `accept` a `windows:SERVICE` in git, with a name, a reason and a day, to go on without a window.",
    ),
    Reason.WINDOW_TOO_SHORT: (
        "What is left of the window is shorter than the leg takes by the steps measured so far.",
        "Wait for the next one; give the window more hours or `overrun`; or `accept` a `windows:SERVICE` in git.",
    ),
}
