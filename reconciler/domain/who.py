"""Who can clear a reason."""

from __future__ import annotations

from enum import StrEnum

from reconciler.domain.reasons import Reason


class Who(StrEnum):
    """Somebody, or time alone."""

    TIME = "time"
    OPERATOR = "operator"
    COMMITTER = "committer"
    TEAM = "another team"


WORDS = {
    Who.TIME: "it goes on by itself",
    Who.OPERATOR: "an operator, at the machines or with `reconciler`",
    Who.COMMITTER: "whoever commits to the desired state",
    Who.TEAM: "another team",
}

_OTHERS_THAN_OPERATORS = {
    Who.TIME: {
        Reason.HOST_NOT_ASKED,
        Reason.CLAIMED,
        Reason.DEPENDENCY,
        Reason.SUPERSEDED,
        Reason.STEP_RUNNING,
        Reason.STEP_SLOW,
        Reason.IN_SYNC,
        Reason.BACKING_OUT,
        Reason.WINDOW_CLOSED,
    },
    Who.COMMITTER: {
        Reason.SOURCE_INVALID,
        Reason.SOURCE_REFUSED,
        Reason.SOURCE_UNVERIFIED,
        Reason.COMMAND_NOT_ALLOWED,
        Reason.PROBE_INVALID,
        Reason.NO_ROUTE,
        Reason.NO_WAY_BACK,
        Reason.NO_BUILD,
        Reason.PROCEDURE_UNFIT,
        Reason.WRITTEN_SINCE,
        Reason.OPEN_LEG,
        Reason.OVERRIDE_IN_THE_WAY,
        Reason.OVERRIDE_EXPIRED,
        Reason.QUARANTINED,
        Reason.PINNED,
        Reason.IMAGE_MOVED,
        Reason.CANARY_FAILED,
        Reason.CANARY_UNFIT,
        Reason.DEPENDENCY_UNMET,
        Reason.DEPENDENCY_KNOT,
        Reason.VALUE_MISSING,
        Reason.VALUE_INVALID,
        Reason.WINDOW_TOO_SHORT,
    },
    Who.TEAM: {Reason.MOVED_BY_OTHERS, Reason.DEPENDENCY_OF_OTHERS},
}


def who_clears(reason: str) -> Who:
    """Return who can clear a reason; whatever is not known to be somebody else's is an operator's."""
    return next((who for who, reasons in _OTHERS_THAN_OPERATORS.items() if reason in reasons), Who.OPERATOR)
