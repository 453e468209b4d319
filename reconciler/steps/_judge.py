"""How evidence is read, where all step kinds read it alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from reconciler.domain.effect import Ask
from reconciler.domain.observation import Absent, HostReport, Known, Observed, Unknown
from reconciler.domain.outcome import Done, Exited, Failed, Lost, Outcome
from reconciler.domain.reasons import Reason
from reconciler.steps import Evidence

T = TypeVar("T")
Still = Callable[[HostReport], Failed | Lost | None]


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


def asked_once_more(outcome: Outcome, evidence: Evidence, asks: Sequence[Ask], up: Still) -> Outcome:
    """Hold what a script says that it stopped against the host's own answer, where it was asked; `up` judges that."""
    if not asks or not isinstance(outcome, Done):
        return outcome
    gone = Failed(Reason.STEP_FAILED, "the host is not there any more")
    report = answer(evidence, asks[0], HostReport, absent=gone)
    return report if isinstance(report, Failed | Lost) else up(report) or outcome
