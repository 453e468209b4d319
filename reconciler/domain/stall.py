"""Why nothing moves: the kinds of stall, who can end one, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reconciler.domain.who import Who


class Stalled(StrEnum):
    """The kinds of stall, a closed list; docs/reference/stalls.md tells each."""

    WAITING_WINDOW = "waiting-window"
    WAITING_APPROVAL = "waiting-approval"
    WAITING_DEPENDENCY = "waiting-dependency"
    WAITING_PERSON = "waiting-person"
    GATE_FAILING = "gate-failing"
    STEP_SLOW = "step-slow"
    STEP_HUNG = "step-hung"
    HOST_LOST = "host-lost"
    SOURCE_STALE = "source-stale"
    SOURCE_UNVERIFIED = "source-unverified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """One thing that keeps a group from moving; `group` is empty where it is the fleet. `since` is when it began.

    `since` is None while only the publisher knows: then it is when the verdict came.
    """

    kind: Stalled
    group: str
    owner: Who
    reason: str
    text: str
    hint: str
    since: datetime | None = None
