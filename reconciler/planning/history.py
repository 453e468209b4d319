"""Folds the journal into what it means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.domain.approval import Approval
from reconciler.domain.journal import Entry, Kind
from reconciler.domain.outcome import Failed, Lost
from reconciler.domain.reasons import Reason, hint_of
from reconciler.domain.rehearsal import group_of
from reconciler.domain.run import Attempt, Halt, History, Run, Suspension
from reconciler.domain.text import one_line
from reconciler.errors import JournalError
from reconciler.planning.serial import outcome_from_json, plan_from_json, steps_from_json
from reconciler.planning.sums import sums_from_json
from reconciler.planning.unheard import number_of
from reconciler.steps import kinds

MAX_TOLD = 500
"""Characters of what is told of an entry."""


def fold(entries: Iterable[Entry], onto: History | None = None) -> History:
    """Fold entries, oldest first, onto what was folded before.

    Raises JournalError for one that says what this program does not know: nothing is guessed from the rest.
    """
    history = onto or History()
    for entry in entries:
        try:
            history = _HANDLERS[entry.kind](history, entry)
        except (LookupError, TypeError, ValueError, AttributeError, AssertionError) as error:
            raise strange(f"entry {entry.seq} ({entry.kind}), {type(error).__name__}: {error}") from error
    return history


def unknown_steps(history: History) -> tuple[str, ...]:
    """Return the steps of open legs whose kind this program does not have, as RUN: STEP (KIND)."""
    return tuple(
        f"{run.id}: {step.id} ({step.kind})"
        for run in history.open_legs()
        for step in (*run.plan.steps, *(run.back or ()))
        if step.kind not in kinds()
    )


def strange(what: str) -> JournalError:
    """Say that the journal holds what another version wrote and this one does not know."""
    text = f"the journal holds what this program does not know: {one_line(what, MAX_TOLD)}"
    return JournalError(text, reason=Reason.JOURNAL_VERSION, hint=hint_of(Reason.JOURNAL_VERSION))


def _accepted(history: History, entry: Entry) -> History:
    revision = str(entry.body["revision"])
    vouched = entry.kind == Kind.HISTORY_ACCEPTED or entry.body.get("signed_by")
    read = revision if entry.kind == Kind.REVISION_ACCEPTED else history.read
    trusted = revision if vouched else history.trusted
    return replace(history, accepted=revision, accepted_at=entry.at, read=read, trusted=trusted, refused="")


def _refused(history: History, entry: Entry) -> History:
    return replace(history, refused=str(entry.body["revision"]))


def _pinned(history: History, entry: Entry) -> History:
    plan = plan_from_json(_mapping(entry.body["plan"]))
    asked = tuple(each for each in history.rehearsals_asked if group_of(each) != entry.group)
    run = Run(id=entry.run, plan=plan, started_at=entry.at, began_with=entry.seq)
    return replace(history, rehearsals_asked=asked, runs=(*history.runs, run))


def _intent(history: History, entry: Entry) -> History:
    attempt = Attempt(number=_int(entry.body["attempt"]), at=entry.at, epoch=_int(entry.body["epoch"]))

    def change(run: Run) -> Run:
        known = run.attempts.get(entry.step, ())
        return replace(run, attempts={**run.attempts, entry.step: (*known, attempt)})

    return _with_run(history, entry.run, change)


def _result(history: History, entry: Entry) -> History:
    outcome = outcome_from_json(entry.body)

    def change(run: Run) -> Run:
        known = tuple(
            replace(attempt, outcome=outcome, ended_at=entry.at, ended_with=entry.seq)
            if attempt.number == entry.body["attempt"]
            else attempt
            for attempt in run.attempts.get(entry.step, ())
        )
        return replace(run, attempts={**run.attempts, entry.step: known})

    return _with_run(history, entry.run, change)


def _turned_back(history: History, entry: Entry) -> History:
    steps = steps_from_json(_list(entry.body["steps"]))
    return _with_run(history, entry.run, lambda run: replace(run, back=steps, back_reason=str(entry.body["text"])))


def _ended(history: History, entry: Entry) -> History:
    if not any(run.id == entry.run for run in history.runs):  # hosts know of it, and no journal that we have
        return replace(history, sealed=max(history.sealed, number_of(entry.run) - len(history.runs)))
    result, at, number = str(entry.body["result"]), entry.at, entry.seq
    return _with_run(history, entry.run, lambda run: replace(run, ended=result, ended_at=at, ended_with=number))


def _halt_raised(history: History, entry: Entry) -> History:
    body = {key: str(value) for key, value in entry.body.items()}
    halt = Halt(
        id=body["id"],
        group=entry.group,
        reason=body["reason"],
        text=body["text"],
        hint=body["hint"],
        since=entry.at,
        inputs=body["inputs"],
        run=entry.run,
        step=entry.step,
        attempt=int(body["attempt"]),
    )
    return replace(
        history,
        halts=(*history.halts, halt),
        raised=history.raised | {(halt.run, halt.step, halt.attempt, halt.reason)},
        holds=history.holds | {(halt.group, halt.inputs)},
        halts_raised=history.halts_raised + 1,
    )


def _halt_cleared(history: History, entry: Entry) -> History:
    return replace(history, halts=tuple(halt for halt in history.halts if halt.id != entry.body["id"]))


def _hold_released(history: History, entry: Entry) -> History:
    holds = frozenset(hold for hold in history.holds if hold[0] != entry.group)
    runs = tuple(_retried(run) if run.group == entry.group and not run.ended else run for run in history.runs)
    return replace(history, holds=holds, runs=runs)


def _retried(run: Run) -> Run:
    """Let the failed steps of an open run be attempted anew."""
    return replace(run, attempts={step: _given_up(attempts) for step, attempts in run.attempts.items()})


def _given_up(attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    return tuple(replace(a, given_up=True) if isinstance(a.outcome, Failed | Lost) else a for a in attempts)


def _approved(history: History, entry: Entry) -> History:
    wave = entry.body["wave"]
    approval = Approval(
        plan=str(entry.body["plan"]),
        by=str(entry.body["by"]),
        why=str(entry.body["why"]),
        wave=None if wave is None else _int(wave),
        run=entry.run,
    )
    return replace(history, approvals=(*history.approvals, approval))


def _rehearsal_asked(history: History, entry: Entry) -> History:
    asked = dict.fromkeys((*history.rehearsals_asked, str(entry.body["service"])))
    return replace(history, rehearsals_asked=tuple(asked))


def _rehearsal_refused(history: History, entry: Entry) -> History:
    left = tuple(each for each in history.rehearsals_asked if each != entry.body["service"])
    return replace(history, rehearsals_asked=left)


def _suspended(history: History, entry: Entry) -> History:
    suspension = Suspension(entry.group, str(entry.body["by"]), str(entry.body["why"]), entry.at)
    others = tuple(s for s in history.suspensions if s.scope != entry.group)
    return replace(history, suspensions=(*others, suspension))


def _resumed(history: History, entry: Entry) -> History:
    kept = () if not entry.group else tuple(s for s in history.suspensions if s.scope != entry.group)
    return replace(history, suspensions=kept)


def _sealed(history: History, entry: Entry) -> History:
    """Let go of what was sealed: what is folded from here on is the same with its entries and without them."""
    gone = frozenset(_list(entry.body["runs"]))
    runs = tuple(run for run in history.runs if run.id not in gone)
    left = {run.id for run in runs}
    return replace(
        history,
        runs=runs,
        raised=frozenset(each for each in history.raised if each[0] in left),
        approvals=tuple(each for each in history.approvals if each.run in left),
        halts_raised=_int(entry.body["halts"]),
        sealed=_int(entry.body["begun"]) - len(runs),
        sums=sums_from_json(_mapping(entry.body["sums"])),
    )


def _with_run(history: History, run_id: str, change: Callable[[Run], Run]) -> History:
    return replace(history, runs=tuple(change(run) if run.id == run_id else run for run in history.runs))


def _mapping(value: object) -> Mapping[str, Any]:
    assert isinstance(value, Mapping)
    return value


def _list(value: object) -> list[Any]:
    assert isinstance(value, list)
    return value


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


_HANDLERS: Mapping[str, Callable[[History, Entry], History]] = {
    Kind.REVISION_ACCEPTED: _accepted,
    Kind.REVISION_REFUSED: _refused,
    Kind.HISTORY_ACCEPTED: _accepted,
    Kind.PLAN_PINNED: _pinned,
    Kind.INTENT: _intent,
    Kind.RESULT: _result,
    Kind.TURNED_BACK: _turned_back,
    Kind.RUN_ENDED: _ended,
    Kind.HALT_RAISED: _halt_raised,
    Kind.HALT_CLEARED: _halt_cleared,
    Kind.HOLD_RELEASED: _hold_released,
    Kind.APPROVED: _approved,
    Kind.REHEARSAL_ASKED: _rehearsal_asked,
    Kind.REHEARSAL_REFUSED: _rehearsal_refused,
    Kind.SUSPENDED: _suspended,
    Kind.RESUMED: _resumed,
    Kind.SEGMENT_SEALED: _sealed,
}
