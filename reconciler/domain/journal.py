"""What is written down for ever: the entries of the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.domain.plan import Json

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal.

    `kind` is a word of `Kind`; `group`, `run` and `step` are empty where they make no sense. `hash` is the sha256 over
    the canonical text of all other fields, the predecessor's hash among them.
    """

    seq: int
    at: datetime
    kind: str
    group: str
    run: str
    step: str
    body: Mapping[str, Json]
    prev: str
    hash: str


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry that is not written yet."""

    kind: str
    group: str = ""
    run: str = ""
    step: str = ""
    body: Mapping[str, Json] = field(default_factory=dict)


class Kind:
    """The words of `Entry.kind`, never renamed. The body's keys stand behind each."""

    REVISION_ACCEPTED = "revision_accepted"  # revision, author, message; signed_by where a signature was asked for
    REVISION_REFUSED = "revision_refused"  # revision, reason, text
    HISTORY_ACCEPTED = "history_accepted"  # revision, by, why
    PLAN_PINNED = "plan_pinned"  # plan (whole, as JSON), accepts (risks that hold)
    INTENT = "intent"  # attempt, epoch
    RESULT = "result"  # attempt, outcome: done|failed|lost, values, reason, text, hint
    TURNED_BACK = "turned_back"  # reason, text: from now on this run is undone
    RUN_ENDED = "run_ended"  # result: see Run.ended; by, why where a person said so
    HALT_RAISED = "halt_raised"  # id, scope, reason, text, hint, inputs
    HALT_CLEARED = "halt_cleared"  # id, by, why
    HOLD_RELEASED = "hold_released"  # inputs, by
    REHEARSAL_ASKED = "rehearsal_asked"  # service, by, why
    REHEARSAL_REFUSED = "rehearsal_refused"  # service, text
    APPROVED = "approved"  # plan, wave (null: the leg), by, why
    SUSPENDED = "suspended"  # by, why
    RESUMED = "resumed"  # by, why
    SEGMENT_SEALED = "segment_sealed"  # segments, kept, runs, begun, halts, sums: see domain/segment.py


@dataclass(frozen=True, slots=True)
class Command:
    """What an operator asked for on the command line; carried out by the daemon in its next pass.

    `verb` is suspend | resume | retry | approve | rehearse | clear-halt | accept-history | abandon; `subject` a group,
    service, halt id, run, commit or PLAN[/WAVE], empty for the whole fleet.
    """

    id: int
    verb: str
    subject: str
    by: str
    why: str
    at: datetime
