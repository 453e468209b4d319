"""A plan that takes over an open leg: what the superseded run did already is not done, or undone, twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.domain.plan import Step
from reconciler.domain.run import Run
from reconciler.planning.backup_sets import checked_in, dumps_of, from_set, of
from reconciler.steps import backup, restore_check


def inherit(steps: tuple[Step, ...], runs: Sequence[Run]) -> tuple[Step, ...]:
    """Fit steps to the superseded `runs` of the same leg.

    Their backup set stays the leg's backup set: an intermediate schema never becomes it. Their undo restores databases
    and starts what they stopped, so that these steps must not.
    """
    begun = [step for run in runs for step in run.plan.steps if run.attempted(step.id)]
    dumps, checked = dumps_of(runs), checked_in(runs)
    migrated = {step.service for step in begun if step.kind == "schema_sync" and step.undo is not None}
    stopped = {(step.service, step.host) for step in begun if step.kind == "units" and step.args["state"] == "stopped"}
    dropped = {
        step.id: step
        for step in steps
        if (step.kind == backup.KIND and of(step) in dumps) or (step.kind == restore_check.KIND and of(step) in checked)
    }
    return tuple(
        replace(_without_undo(step, migrated, stopped), after=through(step.after, dropped))
        for step in from_set(steps, dumps, under="")
        if step.id not in dropped
    )


def through(after: tuple[str, ...], dropped: Mapping[str, Step]) -> tuple[str, ...]:
    """Let those that waited for a dropped step wait for what it waited for."""
    found: list[str] = []
    for each in after:
        found += through(dropped[each].after, dropped) if each in dropped else [each]
    return tuple(dict.fromkeys(found))


def _without_undo(step: Step, migrated: set[str], stopped: set[tuple[str, str]]) -> Step:
    theirs = (step.kind == "schema_sync" and step.service in migrated) or (
        step.kind == "units" and step.args["state"] == "stopped" and (step.service, step.host) in stopped
    )
    return replace(step, undo=None) if theirs else step
