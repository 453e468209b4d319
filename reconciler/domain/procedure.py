"""Procedures: how a leg is carried out, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Phase(StrEnum):
    """The phases of design.md, in no order: a procedure brings its own."""

    PREFLIGHT = "preflight"
    PREPARE = "prepare"
    QUIESCE = "quiesce"
    BACKUP = "backup"
    MIGRATE = "migrate"
    ROLL = "roll"
    BACKFILL = "backfill"
    CONTRACT = "contract"
    RETIRE = "retire"
    FINISH = "finish"
    BACK_OUT = "back-out"  # never in a procedure: the steps that take a leg back


class Selector(StrEnum):
    """On what a phase's steps are done."""

    BOOTSTRAP = "bootstrap"  # the one host that runs schema commands
    WAVE = "wave"  # every host, wave by wave, canary first
    FLEET = "fleet"  # every host of the service, all at once
    DAEMON = "daemon"  # nowhere: a question the daemon asks


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One thing to do. `action` is a word of planning/actions; `args` are its own."""

    action: str
    args: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PhaseSpec:
    """One phase of a procedure: `each` leg or hop, `on` a selector, its steps in order."""

    phase: Phase
    each: str  # leg | hop
    on: Selector
    steps: tuple[ActionSpec, ...]


@dataclass(frozen=True, slots=True)
class Procedure:
    """A named way to carry out legs; `leg` says how much of a route one leg covers: route | hop."""

    name: str
    text: str
    leg: str
    phases: tuple[PhaseSpec, ...]
