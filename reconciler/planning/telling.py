"""All that is told of a plan besides its steps: what users notice, how long they wait, the waves, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.domain.plan import Plan, Step
from reconciler.domain.procedure import Phase
from reconciler.planning.durations import Durations
from reconciler.planning.notice import Notice, notices
from reconciler.planning.pause import Pause, pauses
from reconciler.planning.retreat import Stretch, stretches


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """Hosts of one service that move together; number 0 is the canary.

    `leads` is the role that its only host is the canary of, where the service goes over several.
    """

    service: str
    number: int
    hosts: tuple[str, ...]
    leads: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What is told of a plan. `notice` is by step id; `no_return` is the step that is the point of no return."""

    notice: Mapping[str, Notice]
    pauses: tuple[Pause, ...]
    waves: tuple[Wave, ...]
    stretches: tuple[Stretch, ...]
    no_return: Step | None
    beyond: tuple[Step, ...]


def tell(plan: Plan, hosts: Mapping[str, int], durations: Durations) -> Telling:
    """Work out all that is told of a plan; `hosts` says how many hosts each service has."""
    notice = notices(plan, hosts)
    place = next((place for place, step in enumerate(plan.steps) if step.point_of_no_return), None)
    return Telling(
        notice=notice,
        pauses=pauses(plan, notice, durations),
        waves=waves_of(plan),
        stretches=stretches(plan),
        no_return=None if place is None else plan.steps[place],
        beyond=() if place is None else plan.steps[place + 1 :],
    )


def waves_of(plan: Plan) -> tuple[Wave, ...]:
    """Return the waves of every service, in the order of the plan."""
    hosts: dict[tuple[str, int], dict[str, None]] = {}
    leads: dict[tuple[str, int], str] = {}
    for step in plan.steps:
        if step.wave is not None and step.phase is Phase.ROLL:
            hosts.setdefault((step.service, step.wave), {}).setdefault(step.host, None)
            leads[step.service, step.wave] = step.leads or leads.get((step.service, step.wave), "")
    return tuple(Wave(service=of[0], number=of[1], hosts=tuple(names), leads=leads[of]) for of, names in hosts.items())
