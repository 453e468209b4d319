"""Names what a host must still know of, before it is believed that it never heard of a step. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pydantic import ValidationError

from reconciler.domain.effect import HostScript
from reconciler.domain.plan import Step
from reconciler.domain.run import Run
from reconciler.domain.verdict import Decision, Ready
from reconciler.steps import kinds


def witnessed(run: Run, decision: Decision) -> Decision:
    """Give each step that is taken up again, and may not be repeated, one that its host has done before in this run."""
    return replace(decision, ready=tuple(_of(each, run) for each in decision.ready))


def _of(ready: Ready, run: Run) -> Ready:
    if not ready.adopt or ready.step.repeatable or not ready.step.host:
        return ready
    return replace(ready, before=next(_done_on(ready.step.host, run), None))


def _done_on(host: str, run: Run) -> Iterator[tuple[Step, int]]:
    """Yield what a host has done and keeps a folder of, the latest in the plan first."""
    for step in reversed((*run.plan.steps, *(run.back or ()))):
        last = run.last(step.id)
        if step.host == host and last is not None and run.done(step.id) and _on_host(step):
            yield step, last.number


def _on_host(step: Step) -> bool:
    kind = kinds()[step.kind]
    try:
        return isinstance(kind.effect(kind.Model.model_validate(step.args)), HostScript)
    except ValidationError:  # of a value that was filled in when it began
        return False
