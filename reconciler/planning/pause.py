"""How long users wait: the pause of a plan is its critical path, not the sum of its steps.

Every step is taken to start as soon as those it waits for are done. A step that was never measured counts nothing, and
is named: what is said is then the least that the pause takes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.domain.plan import Plan, Step
from reconciler.planning.durations import Durations
from reconciler.planning.notice import Notice

Moment = tuple[float, int]
"""Seconds, then steps, since the plan began: where nothing is measured the chain of most steps is the longest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """The longest chain of steps between a service's first stop and its return; `service` is empty for the group.

    `seconds` is what the measured steps of the chain take; `unmeasured` are the others, and `beside` counts the
    unmeasured steps of the pause that are not in the chain and could make another one the longest.
    """

    service: str
    chain: tuple[Step, ...]
    seconds: float
    unmeasured: tuple[Step, ...]
    beside: int

    @property
    def measured(self) -> bool:
        """Tell whether anything is known about how long it takes."""
        return len(self.unmeasured) < len(self.chain)


def pauses(plan: Plan, notice: Mapping[str, Notice], durations: Durations) -> tuple[Pause, ...]:
    """Return the pause of each service that has one, and last, where there are several, that of the group."""
    paused = [step for step in plan.steps if notice[step.id] is Notice.PAUSE]
    services = tuple(dict.fromkeys(step.service for step in paused))
    if not paused:
        return ()
    times = _schedule(plan.steps, durations)
    found = tuple(
        _pause(service, [step for step in paused if step.service == service], times, durations) for service in services
    )
    return found if len(found) == 1 else (*found, _pause("", paused, times, durations))


def least_s(plan: Plan, durations: Durations) -> float:
    """Return what the measured steps of a plan's critical path take: the least that the whole of it takes."""
    times = _schedule(plan.steps, durations)
    return max((seconds for seconds, _ in times.ends.values()), default=0.0)


@dataclass(frozen=True, slots=True)
class _Times:
    """When each step would begin and end."""

    steps: Mapping[str, Step]
    begins: Mapping[str, Moment]
    ends: Mapping[str, Moment]


def _schedule(steps: Iterable[Step], durations: Durations) -> _Times:
    """Let every step begin when the last of those it waits for has ended; steps stand in such an order."""
    known: dict[str, Step] = {}
    begins: dict[str, Moment] = {}
    ends: dict[str, Moment] = {}
    latest: dict[int, Moment] = {}  # by identity: thousands of steps wait for the same thousands
    for step in steps:
        if id(step.after) not in latest:
            latest[id(step.after)] = max((ends[each] for each in step.after), default=(0.0, 0))
        seconds, count = begins[step.id] = latest[id(step.after)]
        ends[step.id] = (seconds + (durations.of(step) or 0.0), count + 1)
        known[step.id] = step
    return _Times(known, begins, ends)


def _pause(service: str, paused: Sequence[Step], times: _Times, durations: Durations) -> Pause:
    start = min(times.begins[step.id] for step in paused)
    chain = _chain(max(paused, key=lambda step: times.ends[step.id]), start, times)
    unmeasured = tuple(step for step in chain if durations.of(step) is None)
    return Pause(
        service=service,
        chain=chain,
        seconds=sum(durations.of(step) or 0.0 for step in chain),
        unmeasured=unmeasured,
        beside=_unmeasured_beside(paused, chain, durations),
    )


def _chain(last: Step, start: Moment, times: _Times) -> tuple[Step, ...]:
    """Go back from the last step over those that ended last, until the pause began."""
    found = [last]
    while found[-1].after:
        before = max(found[-1].after, key=lambda each: times.ends[each])
        if times.begins[before] < start:
            break
        found.append(times.steps[before])
    return tuple(reversed(found))


def _unmeasured_beside(paused: Iterable[Step], chain: Collection[Step], durations: Durations) -> int:
    within = {step.id for step in chain}
    return sum(step.id not in within and durations.of(step) is None for step in paused)
