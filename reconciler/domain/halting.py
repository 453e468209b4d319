"""Why a group may halt."""

from __future__ import annotations

from reconciler.domain.reason import Reason

HALTING = frozenset(
    {
        Reason.STEP_FAILED,
        Reason.STEP_LOST,
        Reason.STEP_SLOW,
        Reason.CANARY_FAILED,
        Reason.VERIFY_FAILED,
        Reason.PROBE_INCONCLUSIVE,
        Reason.GATE_CLOSED,
        Reason.SCHEMA_MISMATCH,
        Reason.STRUCTURE_MISMATCH,
        Reason.BACKUP_UNREADABLE,
        Reason.NO_SPACE,
        Reason.LINK_CUT,
        Reason.VALUE_MISSING,
        Reason.VALUE_INVALID,
        Reason.WRITTEN_SINCE,
        Reason.BACK_OUT_FAILED,
        Reason.SECRET_MISSING,
        Reason.HOST_FENCED,
    }
)
"""The closed list of why a group halts; each has a section in docs/reference/halts.md."""
