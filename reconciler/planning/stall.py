"""Says of a pass what stands still, of which kind, and whose it is. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.domain.plan import Block, Step
from reconciler.domain.reasons import TEXTS, Reason
from reconciler.domain.revision import SourceState
from reconciler.domain.run import Attempt, History
from reconciler.domain.stall import Stall, Stalled
from reconciler.domain.verdict import Decision, Report, State
from reconciler.domain.who import Who, who_clears
from reconciler.planning.durations import Durations, durations_of

SLOW_FACTOR = 3.0
"""A step is slow when it runs for so many times what it took in earlier runs (the median)."""

SLOW_AFTER_S = 60.0
"""No step is slow before this many seconds: short ones vary by more than any factor tells."""

_STANDING = frozenset({State.WAITING, State.BLOCKED, State.SUSPENDED, State.HALTED})

_PASSING = frozenset({Reason.HOST_NOT_ASKED, Reason.SUPERSEDED, Reason.STEP_RUNNING})
"""What the next passes settle by themselves."""

_KINDS = {
    Stalled.WAITING_WINDOW: {Reason.WINDOW_CLOSED, Reason.WINDOW_TOO_SHORT},
    Stalled.WAITING_DEPENDENCY: {
        Reason.DEPENDENCY,
        Reason.DEPENDENCY_OF_OTHERS,
        Reason.DEPENDENCY_UNMET,
        Reason.DEPENDENCY_KNOT,
        Reason.MOVED_BY_OTHERS,
        Reason.CLAIMED,
    },
    Stalled.GATE_FAILING: {Reason.REHEARSAL_MISSING, Reason.DRIFT_REPEATS},
    Stalled.WAITING_APPROVAL: {Reason.APPROVAL_MISSING},
    Stalled.WAITING_PERSON: {Reason.SUSPENDED, Reason.HELD, Reason.FLEET_HALTED, Reason.DEFECT, Reason.JOURNAL_BEHIND},
    Stalled.HOST_LOST: {
        Reason.HOST_UNREACHABLE,
        Reason.HOST_KEY_UNKNOWN,
        Reason.HOST_KEY_CHANGED,
        Reason.HOST_AUTH_REFUSED,
        Reason.HOST_SUDO_REFUSED,
        Reason.HOST_OUTPUT_INVALID,
    },
}

_SOURCES: Mapping[str, Stalled] = {
    Reason.SOURCE_UNREACHABLE: Stalled.SOURCE_STALE,
    Reason.SOURCE_UNVERIFIED: Stalled.SOURCE_UNVERIFIED,
}


def stalls_of(report: Report) -> tuple[Stall, ...]:
    """Return what stands still, the source first, then group by group."""
    found = [*_source(report.source), *(stall for each in report.decisions for stall in _standing(each))]
    long = [each for each in _running(report) if _age(each, report) > SLOW_AFTER_S]
    durations = durations_of(report.history) if long else Durations()
    return (*found, *(stall for each in long for stall in _slow(each, report, durations)))


def kind_of(state: State, reason: str) -> Stalled:
    """Name the kind of stall that a reason stands for: what is halted waits for a person, whatever the reason."""
    if state is State.HALTED:
        return Stalled.STEP_HUNG if reason == Reason.STEP_SLOW else Stalled.WAITING_PERSON
    return next((kind for kind, reasons in _KINDS.items() if reason in reasons), Stalled.GATE_FAILING)


def _source(source: SourceState) -> Iterator[Stall]:
    """Tell of a source that cannot be read, or that nobody vouches for: new commits, reverts among them, do nothing."""
    kind = _SOURCES.get(source.problem)
    if kind is not None:
        yield Stall(
            kind=kind,
            group="",
            owner=who_clears(source.problem),
            reason=source.problem,
            text=source.text,
            hint=source.hint or TEXTS[Reason(source.problem)][1],
        )


def _standing(decision: Decision) -> Iterator[Stall]:
    verdict = decision.verdict
    if verdict.state not in _STANDING:
        return
    for each in verdict.blocks or (Block(verdict.reason, verdict.text, verdict.hint),):
        if each.reason not in _PASSING:
            yield Stall(
                kind=kind_of(verdict.state, each.reason),
                group=verdict.group,
                owner=Who.OPERATOR if verdict.state is State.HALTED else who_clears(each.reason),
                reason=each.reason,
                text=each.text,
                hint=each.hint,
            )


_Running = tuple[str, Step, Attempt]


def _running(report: Report) -> Iterator[_Running]:
    """Yield the steps whose outcome is awaited, with their group."""
    for run in report.history.runs:
        if run.ended:
            continue
        for step in run.steps:
            last = run.last(step.id)
            if last is not None and last.outcome is None:
                yield run.group, step, last


def _age(each: _Running, report: Report) -> float:
    return (report.at - each[2].at).total_seconds()


def _slow(each: _Running, report: Report, durations: Durations) -> Iterator[Stall]:
    """Tell of a step beyond its timeout, and before that of one that is slow against its own history."""
    group, step, attempt = each
    age, usual = _age(each, report), durations.of(step)
    where = f" on {step.host}" if step.host else ""
    if age > step.timeout_s:
        if _halted(report.history, group):
            return  # its halt says so already
        kind, text = Stalled.STEP_HUNG, f"it runs for longer than its timeout of {step.timeout_s:.0f} s"
    elif usual is not None and age > SLOW_FACTOR * usual:
        kind, text = (
            Stalled.STEP_SLOW,
            f"it runs for more than {SLOW_FACTOR:g} times as long as in earlier runs, {usual:.0f} s",
        )
    else:
        return
    yield Stall(
        kind=kind,
        group=group,
        owner=Who.OPERATOR,
        reason=str(Reason.STEP_SLOW),
        text=f"{step.title}{where}: {text}",
        hint=TEXTS[Reason.STEP_SLOW][1],
        since=attempt.at,
    )


def _halted(history: History, group: str) -> bool:
    return any(halt.reason == Reason.STEP_SLOW for halt in history.halts_of(group))
