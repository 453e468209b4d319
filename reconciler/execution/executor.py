"""Holds the steps that are being carried; the only place where effects begin."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.domain.desired import Desired
from reconciler.domain.journal import Draft, Kind
from reconciler.domain.outcome import Done, Failed, Lost, Outcome
from reconciler.domain.reasons import Reason
from reconciler.domain.step_key import StepKey
from reconciler.domain.verdict import Ready
from reconciler.execution.carry import carry
from reconciler.execution.older_disk import older_disk
from reconciler.planning.serial import outcome_to_json
from reconciler.ports import NeverStarted, Ports, Secrets, Unreachable

Carried = Outcome | Unreachable | NeverStarted

RETRY_S = 5.0
"""How long a step whose host cannot be asked waits before the next question."""


@dataclass(slots=True)
class Executor:
    """Carries steps in the background of the passes. `wake` is called whenever one has ended.

    `troubles` says for which steps the host could not be asked when it was last tried; `began` is when each attempt
    began, by what `ports.clock` has counted.
    """

    ports: Ports
    wake: Callable[[], None] = lambda: None
    tasks: dict[StepKey, asyncio.Task[Carried]] = field(default_factory=dict)
    troubles: dict[StepKey, Unreachable] = field(default_factory=dict)
    began: dict[StepKey, float] = field(default_factory=dict)

    def begin(self, ready: Iterable[Ready], group: str, desired: Desired, *, may_start: bool) -> None:
        """Write the intents durably, then start; a step whose intent is written already is taken up again.

        An intent of a newer epoch is another daemon's: its step may be asked after, and not be started.
        """
        ready = tuple(each for each in ready if _key(each) not in self.tasks)
        fresh = [each for each in ready if not each.adopt]
        if fresh:
            self.ports.journal.append([_intent(each, group, self.ports.journal.epoch) for each in fresh])
        for each in ready:
            ours = may_start and each.epoch <= self.ports.journal.epoch
            task = asyncio.create_task(self._carried(each, desired, may_start=ours or not each.adopt))
            task.add_done_callback(lambda _: self.wake())
            self.tasks[_key(each)] = task
            self.began.setdefault(_key(each), self.ports.clock.elapsed_s() - each.age_s)

    def followed_s(self) -> Mapping[StepKey, float]:
        """Return how long each attempt runs whose outcome is not known yet."""
        now = self.ports.clock.elapsed_s()
        return {key: now - began for key, began in self.began.items()}

    async def _carried(self, ready: Ready, desired: Desired, *, may_start: bool) -> Carried:
        key = _key(ready)
        if ready.failed is not None:
            return ready.failed
        carried = await self._asked(ready, desired, may_start=may_start)
        self.troubles.pop(key, None)
        if isinstance(carried, Unreachable | NeverStarted):
            if isinstance(carried, Unreachable):
                self.troubles[key] = carried
            await self.ports.clock.sleep(RETRY_S)
        return carried

    async def _asked(self, ready: Ready, desired: Desired, *, may_start: bool) -> Carried:
        """Carry a step; where the daemon's own machine fails meanwhile nothing is known of it, so it is asked again."""
        try:
            if unknown := await older_disk(ready, _key(ready), desired, self.ports):
                return unknown
            return await carry(ready.step, _key(ready), desired, self.ports, may_start=may_start)
        except OSError as error:
            text = f"{ready.step.host or 'the daemon'}: the daemon's machine failed: {error}"
            return Unreachable(str(Reason.HOST_UNREACHABLE), text)

    def settle(self, groups: dict[str, str]) -> tuple[Draft, ...]:
        """Return the results of the steps that have ended since; `groups` maps run to group."""
        ended = [(key, task) for key, task in self.tasks.items() if task.done()]
        drafts = []
        for key, task in ended:
            del self.tasks[key]
            outcome = _outcome(task)
            if not isinstance(outcome, Unreachable | NeverStarted):
                self.began.pop(key, None)
                body = {**outcome_to_json(_redacted(outcome, self.ports.secrets)), "attempt": key.attempt}
                drafts.append(Draft(Kind.RESULT, group=groups.get(key.run, ""), run=key.run, step=key.step, body=body))
        return tuple(drafts)

    async def stop(self) -> None:
        """Let go of all steps; they run on where they are."""
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        self.tasks.clear()


def _redacted(outcome: Outcome, secrets: Secrets) -> Outcome:
    """Take secrets out of all that the journal keeps for ever."""
    match outcome:
        case Done(values, text):
            return Done({name: secrets.redact(value) for name, value in values.items()}, secrets.redact(text))
        case Failed(reason, text, hint):
            return Failed(reason, secrets.redact(text), secrets.redact(hint))
        case Lost(reason, text):
            return Lost(reason, secrets.redact(text))


def _key(ready: Ready) -> StepKey:
    return StepKey(ready.run, ready.step.id, ready.attempt)


def _intent(ready: Ready, group: str, epoch: int) -> Draft:
    body = {"attempt": ready.attempt, "epoch": epoch}
    return Draft(Kind.INTENT, group=group, run=ready.run, step=ready.step.id, body=dict(body))


def _outcome(task: asyncio.Task[Carried]) -> Carried:
    """Read a task; a defect of ours in mid-step is an unknown outcome, never a success and never a crash."""
    if task.cancelled():
        return NeverStarted()
    error = task.exception()
    if error is not None:
        return Lost(str(Reason.STEP_LOST), f"the daemon failed while it carried the step: {error!r}")
    return task.result()
