"""What the reason codes of the daemon itself mean: its journal, its settings, its own mistakes."""

from __future__ import annotations

from reconciler.domain.reason import Reason

DAEMON_TEXTS: dict[Reason, tuple[str, str]] = {
    Reason.JOURNAL_HELD: (
        "Another daemon holds the store.",
        "Stop the other daemon first; two must never act on one fleet.",
    ),
    Reason.JOURNAL_LEASE_LOST: (
        "A newer daemon has taken the lease on the store; this one may not write any more, so it has ended.",
        "Find out which of the two should run, and stop the other.",
    ),
    Reason.JOURNAL_UNWRITABLE: (
        "The journal cannot be written, so nothing is started.",
        "Check space, permissions and locks of the store; the daemon goes on by itself.",
    ),
    Reason.JOURNAL_DISK_FAILED: (
        "The disk failed under the journal; nobody knows what of the last write is on it, so the daemon has ended.",
        "Check the disk and its file system, then start the daemon; it reads what is there, and goes on.",
    ),
    Reason.JOURNAL_UNREADABLE: (
        "The journal cannot be read, so nothing is started.",
        "Check that the store exists, is readable for this user and undamaged.",
    ),
    Reason.JOURNAL_BROKEN: (
        "The journal's hash chain is broken: an entry was changed, removed or damaged.",
        "Keep a copy and restore the newest backup of the store that is whole: docs/explanation/journal.md says how.",
    ),
    Reason.JOURNAL_VERSION: (
        "The store was written by another version of this software.",
        "Run the version that wrote it, or a newer one.",
    ),
    Reason.JOURNAL_BEHIND: (
        "A host keeps steps of a run that this journal never began: its store is older than the fleet, or a new one.",
        "Stop the daemon and put the newest store back; if none is left, see that no step runs, then `abandon RUN`.",
    ),
    Reason.SETTINGS_INVALID: (
        "The daemon's own configuration is wrong; it does not start.",
        "Correct the named keys; docs/reference/settings.md lists all of them.",
    ),
    Reason.DEFECT: (
        "The daemon itself is wrong: it failed while it judged this or read an answer. Only what that bears on stops.",
        "Report the text, with `reconciler history -o json`; a revert of the newest commit may get round it.",
    ),
}
