"""One file per gate: judges what must hold before an effect; pure. The folder is the registry, and all gates run."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from reconciler.domain.approval import Approval
from reconciler.domain.backup import BackupSet
from reconciler.domain.desired import Desired
from reconciler.domain.gate import Closed
from reconciler.domain.metric import MetricSample
from reconciler.domain.observation import Observed
from reconciler.domain.quarantine import Aside
from reconciler.domain.run import Halt


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What gates judge: a group's next leg, or with `begun` one that has touched what serves.

    `least_s` is what the measured steps of its critical path take, 0 when none was ever measured. `waived` are the
    gates that an `accept` in git waives for the group. `hosts` are those of each service that the leg touches.
    `halts` are the open ones of other groups that stop the fleet. `wave` is the one that would begin next, 0 where none
    would but the canary's. `alerts` is what fires, by the alert's name in git. `free` are bytes by host and path.
    `rehearsals` says of each service of which git asks one how it went: running, passed, failed, or nothing. `sets` are
    the dumps of each service whose databases the leg writes and for which git says how old they may be. `aside` are the
    quarantined hosts of services whose schema is still to be changed while they are stopped, or with `back`, of a leg
    that goes back, whose rows are still to be put back. `moved` is when each host that the leg would move was moved by
    earlier ones, for the same desired state.
    """

    group: str
    desired: Desired
    now: datetime
    begun: bool
    back: bool = False
    least_s: float = 0.0
    waived: frozenset[str] = frozenset()
    halts: tuple[Halt, ...] = ()
    services: tuple[str, ...] = ()
    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    free: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    plan: str = ""
    run: str = ""
    wave: int = 0
    approvals: tuple[Approval, ...] = ()
    rehearsals: Mapping[str, str] = field(default_factory=dict)
    sets: Mapping[str, tuple[BackupSet, ...]] = field(default_factory=dict)
    alerts: Mapping[str, Observed[tuple[MetricSample, ...]]] = field(default_factory=dict)
    aside: tuple[Aside, ...] = ()
    moved: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)


class Gate(Protocol):
    """What a module of this room offers; its name is the gate's. One with a true `BACK` is asked going back too."""

    NAME: str

    def judge(self, case: Case) -> tuple[Closed, ...]:
        """Return every reason why nothing may go through, none when the gate is open."""
        ...


@cache
def gates() -> Mapping[str, Gate]:
    """Return every gate by name, sorted."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_"))
    return {name: cast("Gate", import_module(f"{__name__}.{name}")) for name in names}


def closed(case: Case) -> tuple[Closed, ...]:
    """Run all gates that bear on the case and return all reasons, but for those that are waived."""
    asked = (gate for gate in gates().values() if not case.back or getattr(gate, "BACK", False))
    return tuple(each for gate in asked if gate.NAME not in case.waived for each in gate.judge(case))
