"""Tells which steps of a run are settled, those of hosts in quarantine included. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.domain.outcome import Done
from reconciler.domain.plan import Step
from reconciler.domain.run import Run
from reconciler.planning.trouble import repeated
from reconciler.steps import (
    config_files,
    container,
    deb_packages,
    environment,
    hold_packages,
    http_probe,
    ini_options,
    ownership,
    package_repository,
    probe,
    reboot,
    rpm_packages,
    soak,
    units,
    verify_host,
)

OF_ONE_HOST = frozenset(
    each.KIND
    for each in (
        config_files,
        container,
        deb_packages,
        environment,
        hold_packages,
        http_probe,
        ini_options,
        ownership,
        package_repository,
        probe,
        reboot,
        rpm_packages,
        soak,
        units,
        verify_host,
    )
)
"""Kinds that change or judge their own host alone: where the host is away, nobody else misses what they do.

Any other kind may touch what others live on, a database above all, and is never taken for done.
"""


@dataclass(frozen=True, slots=True)
class Settled:
    """Says of a step of a run whether what comes after it may begin; hosts that are `away` are in quarantine.

    `missing` are steps of such hosts that others cannot do without: those of a canary which went away before it had
    proved itself (design.md, section 6, rule 2), and what is not of its host alone, as a schema step. `behind` are they
    and all that wait for one of them: they never come in this run.
    """

    run: Run
    away: frozenset[str]
    steps: Mapping[str, Step] = field(init=False)
    missing: tuple[Step, ...] = field(init=False)
    behind: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Find what is held up: a run's steps stand after those that they wait for."""
        object.__setattr__(self, "steps", {step.id: step for step in self.run.steps})
        object.__setattr__(self, "missing", tuple(filter(self._missing, self.run.steps)))
        behind = {step.id for step in self.missing}
        for step in self.run.steps if behind else ():
            if not behind.isdisjoint(step.after):
                behind.add(step.id)
        object.__setattr__(self, "behind", frozenset(behind))

    def __call__(self, step_id: str) -> bool:
        """Tell whether a step is settled: it is done, or it only advises and has ended badly.

        A host in quarantine has lost its steps: what comes after them waits for what they waited for.
        """
        step, last = self.steps[step_id], self.run.last(step_id)
        if step_id in self.behind:
            return False
        if step.host in self.away:
            return all(map(self, step.after))
        if last is None or last.outcome is None or isinstance(last.outcome, Done):
            return self.run.done(step_id)
        return step.advisory and not repeated(step, last)

    def _missing(self, step: Step) -> bool:
        if step.host not in self.away or self.run.done(step.id) or step.advisory:
            return False
        canary = step.of_canary and not self.run.going_back
        return canary or step.kind not in OF_ONE_HOST
