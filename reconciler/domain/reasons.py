"""What each reason code means, and who can do what about it."""

from __future__ import annotations

from reconciler.domain.daemon_reasons import DAEMON_TEXTS
from reconciler.domain.gate_reasons import GATE_TEXTS
from reconciler.domain.reason import Reason

__all__ = ["TEXTS", "Reason", "hint_of"]

TEXTS: dict[Reason, tuple[str, str]] = {
    Reason.SOURCE_UNREACHABLE: (
        "The desired-state repository cannot be fetched; the last good revision stays in force.",
        "Check the remote, its host key and the daemon's credentials; nothing is lost, the next poll tries again.",
    ),
    Reason.SOURCE_INVALID: (
        "The newest commit's desired state is invalid; the last good revision stays in force.",
        "Run `reconciler validate` on that commit and push a corrected one.",
    ),
    Reason.SOURCE_REFUSED: (
        "The newest commit holds something that is never followed: a symlink, a submodule, an odd or oversize file.",
        "Remove it from the repository and push a new commit.",
    ),
    Reason.SOURCE_UNVERIFIED: (
        "A new commit is not signed by somebody who may; the last good revision stays in force.",
        "Find out who pushed it; let an allowed signer sign anew; without keys, `reconciler accept-history COMMIT`.",
    ),
    Reason.HISTORY_REWRITTEN: (
        "The branch no longer descends from the accepted commit.",
        "Find out who rewrote it; if it is right, `reconciler accept-history COMMIT`.",
    ),
    Reason.COMMAND_NOT_ALLOWED: (
        "The desired state wants to run a program that the daemon's settings do not allow.",
        "Take it out of the desired state, or add it to `commands.allowed` on the daemon's machine.",
    ),
    Reason.HOST_UNREACHABLE: (
        "The host cannot be reached over SSH; nothing is done on it.",
        "Check the machine, its network and sshd; the daemon tries again by itself.",
    ),
    Reason.HOST_KEY_UNKNOWN: (
        "No host key is pinned for this host, so it is not contacted.",
        "Compare the fingerprint out of band, then `reconciler enrol HOST`.",
    ),
    Reason.HOST_KEY_CHANGED: (
        "The host shows another key than the pinned one: a reinstalled machine or an attack.",
        "Find out which; if it was reinstalled, `reconciler enrol HOST --replace`.",
    ),
    Reason.HOST_AUTH_REFUSED: (
        "The host refused the daemon's key.",
        "Install the daemon's public key for the login user.",
    ),
    Reason.HOST_SUDO_REFUSED: (
        "The login user entered the host, but sudo does not let it become root.",
        "Put the lines that `reconciler enrol HOST --sudoers` prints on the host, then `reconciler enrol HOST` again.",
    ),
    Reason.HOST_OUTPUT_INVALID: (
        "The host's answer cannot be read with certainty.",
        "Run `reconciler observe --host HOST` and compare with the host; look for aliases, wrappers, a full disk.",
    ),
    Reason.HOST_NOT_ASKED: ("The host was not asked yet.", "Wait for the next sweep or run `reconciler observe`."),
    Reason.HOST_FENCED: (
        "The host has obeyed a newer daemon and refuses this one.",
        "Stop the other daemon, or restart this one so that it takes the lease anew.",
    ),
    Reason.DATABASE_UNREACHABLE: (
        "The database cannot be read, so no schema step of its service may start.",
        "Check server, account and grants from the daemon's machine.",
    ),
    Reason.DATABASE_UNTRUSTED: (
        "The URL asks for TLS, and the server does not prove by it that it is the right one; nothing was sent to it.",
        "Compare the server's certificate and its names with `ssl_ca` and the host name of the URL.",
    ),
    Reason.DATABASE_EMPTY: (
        "The database has no tables: it belongs to no release.",
        "Create it with the service's own tool, or point the service at the right database.",
    ),
    Reason.DATABASE_FOREIGN: (
        "The schema version is of no known release of this service.",
        "Run `reconciler identify`; a newer catalog or another database name may be needed.",
    ),
    Reason.DATABASE_BETWEEN: (
        "The schema stands between releases: a migration has not been finished.",
        "Finish it with the release's own code or restore the backup; the text names the releases.",
    ),
    Reason.PROBE_INVALID: (
        "A row probe is not one read-only SELECT; it was not asked.",
        "Correct the rule that it belongs to; docs/reference/catalog.md lists the words that a probe may use.",
    ),
    Reason.METRICS_UNREACHABLE: (
        "Prometheus did not answer, answered something else, or is not named: what it would tell is unknown.",
        "Check `fleet.prometheus` in the desired state, the server and its token; ask it the same query by hand.",
    ),
    Reason.NO_ROUTE: (
        "No safe sequence of hops leads to the goal.",
        "See `reconciler route`; it names what would help.",
    ),
    Reason.NO_WAY_BACK: (
        "The goal is older than the position and the journal holds no way back to it.",
        "Revert to a release from which this daemon advanced the service, or restore by hand.",
    ),
    Reason.NO_BUILD: (
        "The desired state does not say how a release on the route is put on hosts.",
        "Add the release to the service's `builds`.",
    ),
    Reason.PROCEDURE_UNFIT: (
        "What the procedure says does not fit this service.",
        "Mend the action that the text names, or choose another procedure.",
    ),
    Reason.REHEARSAL_UNFIT: (
        "There is nothing that could be rehearsed, or nowhere to do it.",
        "Name scratch databases, and configuration for them, under the service's `rehearsal`.",
    ),
    Reason.REPLACEMENT_DONE: (
        "The procedure replaces a deployment, and none is described that takes over at the end of the leg.",
        "Describe it under `replacements`, by the release at which it takes over, or choose another procedure.",
    ),
    Reason.HOST_WITHOUT_BUILD: (
        "The host bears no build of the service at all; to provision it is not this daemon's work.",
        "Install the service on it as your provisioning does, or take the host out of the service.",
    ),
    Reason.POSITION_UNKNOWN: (
        "Where the service stands cannot be told; it is explained before anything is done to it.",
        "`reconciler why SERVICE` lists what is unknown.",
    ),
    Reason.WRITTEN_SINCE: (
        "Data was written after the release was reached, and going back would lose it.",
        "Add an `accept` entry `data-loss:SERVICE` with a name, a reason and a date, or stay.",
    ),
    Reason.OPEN_LEG: (
        "A leg is open, and the commit takes services out of its group; nothing of it is begun or taken back.",
        "Put them back under their names, as the text says; take them out when the leg has ended.",
    ),
    Reason.OVERRIDE_IN_THE_WAY: (
        "An override holds a host behind its service, and what comes next would stop or break that host.",
        "Remove the override; a rolling procedure goes as far as its contract.",
    ),
    Reason.QUARANTINED: (
        "A host went into quarantine in the middle of a leg that cannot go on without its part.",
        "Take it out of quarantine once it works again, rebuilt under its name if need be, with its backup folder.",
    ),
    Reason.HOST_FELL_BACK: (
        "A host is at another release than it was moved to in this leg, and the contract would break it.",
        "Find out what put it back; bring it to the release of the leg by hand, or revert; the leg goes on by itself.",
    ),
    Reason.UNAVAILABLE: (
        "So many hosts of the service are out of work already that no other one can be spared.",
        "See to the hosts that the text names; or raise the service's `max_unavailable` in git.",
    ),
    Reason.CLAIMED: (
        "Another group's open leg changes the same hosts or services; plans take turns.",
        "Nothing to do while that leg goes on; when it is halted or left behind by a commit, see to it first.",
    ),
    Reason.OVERRIDE_EXPIRED: (
        "The day up to which an override holds a host behind has passed.",
        "Take the override out, or give it a later day.",
    ),
    Reason.CANARY_UNFIT: (
        "No host that moves is fit to be the canary that the desired state asks for.",
        "Name another host, zone, role or label under the service's `canary`.",
    ),
    Reason.PACKAGE_HELD: (
        "Somebody holds a package at a version that is not the target's, nor one that the desired state knows.",
        "Find out why it is held; release the hold on the host, or accept `hold:SERVICE` to have it moved.",
    ),
    Reason.PINNED: (
        "The desired state's builds make a release the same code as the one before it: nothing would move.",
        "Put `{release}` or `{version}` into the build, or give each release a build of its own.",
    ),
    Reason.IMAGE_MOVED: (
        "A tag was moved in its registry while hosts pulled it: they hold different images, and nothing was touched.",
        "Name the image by its digest in git; the text has the digests, and who moved the tag knows which is meant.",
    ),
    Reason.MOVED_BY_OTHERS: (
        "The service is not at its release, and it is others who move it: here it is only looked at.",
        "Ask those who move it; what waits for it goes on by itself when it has arrived.",
    ),
    Reason.DEPENDENCY: (
        "A leg of another component comes first, by a rule of the catalog.",
        "Nothing to do: this one begins when that one has ended; `reconciler plan` shows the whole order.",
    ),
    Reason.DEPENDENCY_OF_OTHERS: (
        "A component that others move must get on first, by a rule of the catalog.",
        "Ask those who move it; this one begins by itself when it has arrived.",
    ),
    Reason.DEPENDENCY_UNMET: (
        "A rule of the catalog asks another component for a release that nothing here will bring it to.",
        "Do what the text says in the desired state, or let the other component move first.",
    ),
    Reason.DEPENDENCY_KNOT: (
        "Rules of the catalog go round in a circle: each component would have to move before the other.",
        "Cut a leg in two (a procedure whose leg is a hop, or an earlier goal), or move both in one group.",
    ),
    Reason.SUPERSEDED: ("Newer inputs took the place of these before anything was changed.", "Nothing to do."),
    Reason.BEYOND_NO_RETURN: (
        "The leg has passed its point of no return; the old release cannot run any more.",
        "Go forward, or restore the backup set by hand with the service stopped.",
    ),
    Reason.STEP_FAILED: (
        "A step failed.",
        "Read its output in `reconciler history`; mend the cause, then `reconciler retry SERVICE`.",
    ),
    Reason.STEP_LOST: (
        "Nobody can tell how a step ended, and it may not be repeated blindly.",
        "Look at the host, then `reconciler retry SERVICE` to run it again, or revert to back out.",
    ),
    Reason.STEP_SLOW: ("A step runs longer than its timeout; it is not killed.", "Look at the host; let it finish."),
    Reason.CANARY_FAILED: (
        "The canary did not come up healthy on the new build; no other host was moved.",
        "Read the text; push a corrected commit or revert.",
    ),
    Reason.VERIFY_FAILED: ("A moved host is not healthy.", "Mend it, then `reconciler retry SERVICE`, or revert."),
    Reason.PROBE_INCONCLUSIVE: (
        "A probe could not be asked, again and again: nobody can tell whether what it asks about is well.",
        "See to what answers the probe (Prometheus, the database, the host), then `reconciler retry SERVICE`.",
    ),
    Reason.GATE_CLOSED: (
        "Rows stand in the way of the next migration, which would refuse them or lose what they hold.",
        "Take them out of the way as the hint says, with the code that it names; then `reconciler retry SERVICE`.",
    ),
    Reason.SCHEMA_MISMATCH: (
        "After a schema step the database is not where the release should have brought it.",
        "`reconciler identify` the database; do not start the service.",
    ),
    Reason.STRUCTURE_MISMATCH: (
        "After a schema step the version is right, but tables, columns or keys that the release needs are not there.",
        "Do not start the service: restore the backup set; `reconciler schema diff` lists what differs.",
    ),
    Reason.BACKUP_UNREADABLE: ("The backup could not be read back.", "Check space and permissions at its place."),
    Reason.NO_SPACE: ("The backup set would not fit.", "Make room there, or name another place; then `retry SERVICE`."),
    Reason.LINK_CUT: (
        "A step cut the daemon off from its host, and the host took it back by itself when its time was over.",
        "Find out on the host why it could not be reached; mend the step in git, or `reconciler retry SERVICE`.",
    ),
    Reason.VALUE_MISSING: (
        "A step refers to a value that no step before it has left on this host, the bootstrap host or the daemon.",
        "Look at the step that should have left it, mend the procedure, then `reconciler retry SERVICE`.",
    ),
    Reason.VALUE_INVALID: (
        "What an earlier step has left does not fit the step that refers to it, so that was not begun.",
        "Look at the value in the history, mend the procedure or its cause, then `reconciler retry SERVICE`.",
    ),
    Reason.BACK_OUT_FAILED: ("Going back failed.", "Nothing more is tried; a person must look at host and output."),
    Reason.SECRET_MISSING: (
        "A secret named by reference cannot be read on the daemon's machine.",
        "Create the file, variable or credential that the text names.",
    ),
    **DAEMON_TEXTS,
    Reason.HELD: (
        "These inputs failed before and are not tried again.",
        "Push a commit that changes them, or `reconciler retry SERVICE`; `reconciler history` shows what failed.",
    ),
    Reason.SUSPENDED: ("Suspended by a person.", "`reconciler resume`, or remove `suspended` from git."),
    Reason.STEP_RUNNING: ("Steps are running.", "Nothing to do."),
    Reason.IN_SYNC: ("Everything runs as desired.", "Nothing to do."),
    Reason.BACKING_OUT: ("The leg is being taken back.", "Nothing to do; the halt names the cause."),
    **GATE_TEXTS,
}


def hint_of(reason: Reason, *, host: str = "", group: str = "") -> str:
    """Return a reason's hint as it can be typed: a known host or group in place of the word that stands for it."""
    hint = TEXTS[reason][1]
    hint = hint.replace("HOST", host) if host else hint
    return hint.replace("retry SERVICE", f"retry {group}") if group else hint
