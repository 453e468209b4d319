"""What stands still, from literals."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.domain.observation import Observations
from reconciler.domain.outcome import Done
from reconciler.domain.plan import Block
from reconciler.domain.reasons import Reason
from reconciler.domain.revision import SourceState
from reconciler.domain.run import Attempt, Halt, History, Run
from reconciler.domain.stall import Stalled
from reconciler.domain.verdict import Decision, Report, State, Verdict
from reconciler.domain.who import Who
from reconciler.planning.stall import kind_of, stalls_of
from tests.planning.test_judge import AT, IDS, PLAN, run

STEP = IDS[8]
TIMEOUT_S = next(step.timeout_s for step in PLAN.steps if step.id == STEP)


def verdict(state: State, reason: Reason, *blocks: Block) -> Decision:
    return Decision(
        verdict=Verdict(group="keystone", state=state, reason=str(reason), text="why", hint="do", blocks=blocks)
    )


def stalls(
    *decisions: Decision, history: History | None = None, after_s: float = 0.0, source: SourceState | None = None
) -> list[tuple[Stalled, str, Who]]:
    report = Report(
        at=AT + timedelta(seconds=after_s),
        source=source or SourceState(None),
        revision="",
        desired=None,
        observations=Observations(),
        decisions=decisions,
        history=history or History(),
    )
    return [(each.kind, each.text, each.owner) for each in stalls_of(report)]


def earlier(seconds: float) -> Run:
    """Return a run that ended, in which the step took so long."""
    took = {STEP: (Attempt(1, AT, 1, Done(), AT + timedelta(seconds=seconds)),)}
    return Run(id="r0", plan=PLAN, started_at=AT, attempts=took, ended="done", ended_at=AT)


@pytest.mark.parametrize("state", [State.IN_SYNC, State.PROGRESSING, State.BACKING_OUT])
def test_what_moves_or_has_arrived_does_not_stand_still(state: State):
    assert stalls(verdict(state, Reason.STEP_RUNNING)) == []


@pytest.mark.parametrize("reason", [Reason.HOST_NOT_ASKED, Reason.SUPERSEDED, Reason.STEP_RUNNING])
def test_what_the_next_passes_settle_is_no_stall(reason: Reason):
    assert stalls(verdict(State.WAITING, reason)) == []


@pytest.mark.parametrize(
    ("state", "reason", "kind"),
    [
        (State.WAITING, Reason.DEPENDENCY, Stalled.WAITING_DEPENDENCY),
        (State.BLOCKED, Reason.DEPENDENCY_KNOT, Stalled.WAITING_DEPENDENCY),
        (State.SUSPENDED, Reason.SUSPENDED, Stalled.WAITING_PERSON),
        (State.BLOCKED, Reason.HELD, Stalled.WAITING_PERSON),
        (State.HALTED, Reason.CANARY_FAILED, Stalled.WAITING_PERSON),
        (State.HALTED, Reason.HOST_UNREACHABLE, Stalled.WAITING_PERSON),
        (State.HALTED, Reason.STEP_SLOW, Stalled.STEP_HUNG),
        (State.BLOCKED, Reason.DATABASE_BETWEEN, Stalled.GATE_FAILING),
        (State.WAITING, Reason.HOST_UNREACHABLE, Stalled.HOST_LOST),
        (State.BLOCKED, Reason.HOST_KEY_CHANGED, Stalled.HOST_LOST),
    ],
)
def test_a_verdict_and_its_reason_make_the_kind(state: State, reason: Reason, kind: Stalled):
    assert kind_of(state, str(reason)) is kind
    assert [each[0] for each in stalls(verdict(state, reason))] == [kind]


def test_every_block_is_a_stall_with_its_own_owner():
    lost = Block(str(Reason.HOST_UNREACHABLE), "ks1 does not answer", "look")
    no_route = Block(str(Reason.NO_ROUTE), "no way", "choose another")
    assert stalls(verdict(State.BLOCKED, Reason.HOST_UNREACHABLE, lost, no_route)) == [
        (Stalled.HOST_LOST, "ks1 does not answer", Who.OPERATOR),
        (Stalled.GATE_FAILING, "no way", Who.COMMITTER),
    ]


def test_a_step_is_slow_against_its_own_history_only():
    open_run = run(8, begun=True)
    assert stalls(history=History(runs=(open_run,)), after_s=300) == []
    slow = stalls(history=History(runs=(earlier(30), open_run)), after_s=300)
    assert [kind for kind, _, _ in slow] == [Stalled.STEP_SLOW]
    assert "in earlier runs, 30 s" in slow[0][1]
    assert stalls(history=History(runs=(earlier(100), open_run)), after_s=300) == []


def test_a_short_step_is_not_slow_for_varying():
    assert stalls(history=History(runs=(earlier(1), run(8, begun=True))), after_s=59) == []


def test_a_step_beyond_its_timeout_hangs_until_its_halt_says_so():
    history = History(runs=(run(8, begun=True),))
    assert [kind for kind, _, _ in stalls(history=history, after_s=TIMEOUT_S + 1)] == [Stalled.STEP_HUNG]
    halt = Halt(
        id="h1",
        group="keystone",
        reason=str(Reason.STEP_SLOW),
        text="",
        hint="",
        since=AT,
        inputs="",
        run="r1",
        step=STEP,
    )
    assert stalls(history=replace(history, halts=(halt,)), after_s=TIMEOUT_S + 1) == []


def test_an_ended_step_is_never_slow():
    assert stalls(history=History(runs=(earlier(30), run(8))), after_s=10_000) == []


def test_a_source_that_cannot_be_reached_is_stale():
    unreachable = SourceState(None, str(Reason.SOURCE_UNREACHABLE), "no route to host", "")
    assert [kind for kind, _, _ in stalls(source=unreachable)] == [Stalled.SOURCE_STALE]
    assert stalls(source=SourceState(None, str(Reason.SOURCE_INVALID), "fleet.yaml:1:1", "")) == []
