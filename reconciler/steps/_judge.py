"""How evidence is read, where all step kinds read it alike."""

from __future__ import annotations

from typing import TypeVar, cast

from reconciler.domain.effect import Ask
from reconciler.domain.observation import Absent, Known, Observed, Unknown
from reconciler.domain.outcome import Done, Exited, Failed, Lost, Outcome
from reconciler.domain.reasons import Reason
from reconciler.steps import Evidence

T = TypeVar("T")


def by_exit(evidence: Evidence, ok: tuple[int, ...] = (0,), hint: str = "") -> Outcome:
    """Judge a script by its exit code alone; without one nobody can tell."""
    match evidence.exited:
        case None:
            return Lost(Reason.STEP_LOST, "the host left no exit code")
        case Exited(code, output, values) if code in ok:
            return Done(values, output)
        case Exited(code, output, _):
            return Failed(Reason.STEP_FAILED, f"exit code {code}: {output.strip() or 'no output'}", hint)


def answer(evidence: Evidence, ask: Ask, kind: type[T], absent: Failed) -> T | Failed | Lost:
    """Take the proof out of an answer, or say why there is none; `absent` judges a thing that is not there."""
    observed = cast("Observed[T] | None", evidence.answers.get(ask))
    match observed:
        case Known(value) if isinstance(value, kind):
            return value
        case Absent():
            return absent
        case Unknown(reason, text, _):
            return Lost(reason, text)
        case _:
            return Lost(Reason.STEP_LOST, "the question that would prove it was not answered")
