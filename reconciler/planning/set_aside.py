"""Sets hosts aside that failed after the canary, where policy lets the waves after them go on. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.domain.desired import HaltPolicy
from reconciler.domain.plan import Step
from reconciler.domain.procedure import Phase
from reconciler.domain.run import Run
from reconciler.planning.scene import Scene
from reconciler.planning.trouble import Trouble, troubles_of
from reconciler.steps import barrier

GROUP = HaltPolicy()


def policy_of(group: str, scene: Scene) -> HaltPolicy:
    """Return what a halt of a group stops: the group, unless git says otherwise."""
    return scene.desired.halts.get(group, GROUP)


def set_aside(run: Run, scene: Scene) -> frozenset[str]:
    """Return the hosts that failed in a wave after the canary, none when they are more than policy lets fail."""
    policy = policy_of(run.group, scene)
    if policy.scope != "host" or run.going_back:
        return frozenset()
    hosts = frozenset(step.host for step, _, _ in filter(of_a_later_wave, troubles_of(run)))
    return hosts if len(hosts) <= policy.hosts else frozenset()


def of_a_later_wave(trouble: Trouble) -> bool:
    """Tell whether it is the trouble of one host that moved after the canary of its role."""
    step = trouble[0]
    return step.phase is Phase.ROLL and bool(step.host) and not step.of_canary


@dataclass(frozen=True, slots=True)
class Passing:
    """Says what may begin behind the steps that failed on hosts which were set aside: later waves on other hosts.

    What comes after the last wave waits for every host: those that were set aside might not survive it.
    """

    run: Run
    aside: frozenset[str]
    settled: Callable[[str], bool]
    steps: Mapping[str, Step] = field(init=False)
    behind: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Find all that comes after what failed: a run's steps stand after those that they wait for."""
        steps = {step.id: step for step in self.run.steps} if self.aside else {}
        behind = {step.id for step, _, _ in troubles_of(self.run) if step.host in self.aside} if self.aside else set()
        for step in steps.values():
            if not behind.isdisjoint(step.after):
                behind.add(step.id)
        object.__setattr__(self, "steps", steps)
        object.__setattr__(self, "behind", frozenset(behind))

    def may_begin(self, step: Step) -> bool:
        """Tell whether all is settled that a step waits for, but for what was set aside."""
        if step.id not in self.behind:
            return all(map(self.settled, step.after))
        free = step.phase is Phase.ROLL and bool(step.host) and step.host not in self.aside
        return free and all(self.settled(each) or self._over(step, each) for each in step.after)

    def _over(self, step: Step, before_id: str) -> bool:
        before = self.steps[before_id]
        if before.phase is not Phase.ROLL or (before.wave or 0) >= (step.wave or 0):
            return False
        if before.kind == barrier.KIND:
            return all(self.settled(each) or self._over(step, each) for each in before.after)
        return before.host in self.aside
