"""Reason codes: the closed list of why something is as it is."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Each member's comment is its documentation; docs/reference/reasons.md is generated from `TEXTS`."""

    # source
    SOURCE_UNREACHABLE = "SourceUnreachable"
    SOURCE_INVALID = "SourceInvalid"
    SOURCE_REFUSED = "SourceRefused"
    HISTORY_REWRITTEN = "HistoryRewritten"
    COMMAND_NOT_ALLOWED = "CommandNotAllowed"
    # hosts
    HOST_UNREACHABLE = "HostUnreachable"
    HOST_KEY_UNKNOWN = "HostKeyUnknown"
    HOST_KEY_CHANGED = "HostKeyChanged"
    HOST_AUTH_REFUSED = "HostAuthRefused"
    HOST_OUTPUT_INVALID = "HostOutputInvalid"
    HOST_NOT_ASKED = "HostNotAsked"
    HOST_FENCED = "HostFenced"
    # databases
    DATABASE_UNREACHABLE = "DatabaseUnreachable"
    DATABASE_EMPTY = "DatabaseEmpty"
    DATABASE_FOREIGN = "DatabaseForeign"
    DATABASE_BETWEEN = "DatabaseBetween"
    PROBE_INVALID = "ProbeInvalid"
    # metrics
    METRICS_UNREACHABLE = "MetricsUnreachable"
    # planning
    NO_ROUTE = "NoRoute"
    NO_WAY_BACK = "NoWayBack"
    NO_BUILD = "NoBuild"
    PROCEDURE_UNFIT = "ProcedureUnfit"
    REHEARSAL_UNFIT = "RehearsalUnfit"
    REPLACEMENT_DONE = "ReplacementDone"
    HOST_WITHOUT_BUILD = "HostWithoutBuild"
    POSITION_UNKNOWN = "PositionUnknown"
    WRITTEN_SINCE = "WrittenSince"
    OPEN_LEG = "OpenLeg"
    OVERRIDE_IN_THE_WAY = "OverrideInTheWay"
    OVERRIDE_EXPIRED = "OverrideExpired"
    CANARY_UNFIT = "CanaryUnfit"
    PACKAGE_HELD = "PackageHeld"
    PINNED = "Pinned"
    SUPERSEDED = "Superseded"
    CLAIMED = "Claimed"
    MOVED_BY_OTHERS = "MovedByOthers"
    DEPENDENCY = "Dependency"
    DEPENDENCY_OF_OTHERS = "DependencyOfOthers"
    DEPENDENCY_UNMET = "DependencyUnmet"
    DEPENDENCY_KNOT = "DependencyKnot"
    BEYOND_NO_RETURN = "BeyondNoReturn"
    # steps
    STEP_FAILED = "StepFailed"
    STEP_LOST = "StepLost"
    STEP_SLOW = "StepSlow"
    CANARY_FAILED = "CanaryFailed"
    VERIFY_FAILED = "VerifyFailed"
    PROBE_INCONCLUSIVE = "ProbeInconclusive"
    GATE_CLOSED = "GateClosed"
    SCHEMA_MISMATCH = "SchemaMismatch"
    STRUCTURE_MISMATCH = "StructureMismatch"
    BACKUP_UNREADABLE = "BackupUnreadable"
    NO_SPACE = "NoSpace"
    VALUE_MISSING = "ValueMissing"
    VALUE_INVALID = "ValueInvalid"
    BACK_OUT_FAILED = "BackOutFailed"
    SECRET_MISSING = "SecretMissing"  # noqa: S105 - a reason code
    # the daemon itself
    JOURNAL_HELD = "JournalHeld"
    JOURNAL_LEASE_LOST = "JournalLeaseLost"
    JOURNAL_UNWRITABLE = "JournalUnwritable"
    JOURNAL_UNREADABLE = "JournalUnreadable"
    JOURNAL_BROKEN = "JournalBroken"
    JOURNAL_VERSION = "JournalVersion"
    SETTINGS_INVALID = "SettingsInvalid"
    # judgement
    HELD = "Held"
    SUSPENDED = "Suspended"
    STEP_RUNNING = "StepRunning"
    IN_SYNC = "InSync"
    BACKING_OUT = "BackingOut"
    # gates
    ALERT_FIRING = "AlertFiring"
    ALERT_UNKNOWN = "AlertUnknown"
    APPROVAL_MISSING = "ApprovalMissing"
    REHEARSAL_MISSING = "RehearsalMissing"
    FLEET_HALTED = "FleetHalted"
    WINDOW_CLOSED = "WindowClosed"
    WINDOW_TOO_SHORT = "WindowTooShort"
