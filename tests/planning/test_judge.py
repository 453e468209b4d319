"""Judgement of one group, from literals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reconciler.catalog import load_catalog
from reconciler.domain.desired import Desired
from reconciler.domain.journal import Kind
from reconciler.domain.outcome import Done, Failed, Lost, Outcome
from reconciler.domain.reasons import Reason
from reconciler.domain.run import Attempt, Halt, History, Run, Suspension
from reconciler.domain.verdict import Decision, State
from reconciler.planning.judge import judge
from reconciler.planning.scene import Scene
from reconciler.planning.trouble import MAX_ATTEMPTS
from tests.planning.test_plan import plan, position
from tests.support.sample import desired

AT = datetime(2026, 1, 2, tzinfo=UTC)
GOAL = desired(release="2026.1")
PLAN = plan(release="2026.1")
IDS = [step.id for step in PLAN.steps]
CANARY = "keystone.roll.verify.token@ks1"
SECOND = "keystone.roll.verify.token@ks2"


def rule(history: History, wanted: Desired = GOAL, now: datetime = AT) -> Decision:
    return judge("keystone", [position()], Scene(desired=wanted, catalog=load_catalog(), history=history, now=now))


def run(done: int, *, next_: Outcome | None = None, begun: bool = False) -> Run:
    """Return a run with its first steps done, and the next one begun or ended in some way."""
    attempts = {step: (Attempt(1, AT, 1, Done(), AT),) for step in IDS[:done]}
    if begun or next_ is not None:
        attempts[IDS[done]] = (Attempt(1, AT, 1, next_, AT),)
    return Run(id="r1", plan=PLAN, started_at=AT, attempts=attempts)


def kinds(decision: Decision) -> list[str]:
    return [draft.kind for draft in decision.drafts]


def test_a_new_goal_is_pinned_before_anything_starts():
    found = rule(History())

    assert kinds(found) == [Kind.PLAN_PINNED]
    assert found.ready == ()


def test_steps_start_when_all_before_them_are_done():
    assert [ready.step.id for ready in rule(History(runs=(run(0),))).ready] == IDS[:5]  # preparing, side by side
    assert [ready.step.id for ready in rule(History(runs=(run(5),))).ready] == IDS[5:8]  # stopping
    assert [ready.step.id for ready in rule(History(runs=(run(8),))).ready] == IDS[8:9]  # the backup


def test_a_step_that_runs_is_followed_under_its_own_attempt():
    ready = rule(History(runs=(run(8, begun=True),))).ready

    assert [(each.step.id, each.attempt, each.adopt) for each in ready] == [(IDS[8], 1, True)]


def test_a_run_whose_steps_are_done_ends():
    assert kinds(rule(History(runs=(run(len(IDS)),)))) == [Kind.RUN_ENDED]


def test_a_canary_that_fails_halts_and_turns_back():
    found = rule(History(runs=(run(IDS.index(CANARY), next_=Failed("VerifyFailed", "401")),)))

    assert kinds(found) == [Kind.HALT_RAISED, Kind.TURNED_BACK]
    assert found.verdict.reason == Reason.CANARY_FAILED
    assert "ks1" in found.verdict.text


def test_a_later_failure_halts_and_holds():
    found = rule(History(runs=(run(IDS.index(SECOND), next_=Failed("VerifyFailed", "401")),)))

    assert kinds(found) == [Kind.HALT_RAISED]
    assert found.verdict.reason == Reason.VERIFY_FAILED


def test_a_lost_step_is_repeated_only_when_it_may_be():
    backup = rule(History(runs=(run(8, next_=Lost("StepLost", "reboot")),)))
    assert [(each.step.id, each.attempt) for each in backup.ready] == [(IDS[8], 2)]

    schema = IDS.index("keystone.migrate.schema-sync.main.2023.1@ks1")
    found = rule(History(runs=(run(schema, next_=Lost("StepLost", "reboot")),)))
    assert kinds(found) == [Kind.HALT_RAISED, Kind.TURNED_BACK]


def halted(of: Run, step: str, reason: Reason = Reason.VERIFY_FAILED) -> History:
    halt = Halt(
        id="h1",
        group="keystone",
        reason=reason,
        text="it failed",
        hint="",
        since=AT,
        inputs=PLAN.inputs,
        run="r1",
        step=step,
        attempt=1,
    )
    return History(runs=(of,), halts=(halt,), raised=frozenset({("r1", step, 1, str(reason))}))


def test_a_halt_is_raised_once():
    found = rule(halted(run(IDS.index(SECOND), next_=Failed("VerifyFailed", "401")), SECOND))

    assert found.drafts == ()
    assert found.ready == ()
    assert found.verdict.state is State.HALTED


def test_a_cleared_halt_leaves_the_hold():
    history = replace(halted(run(IDS.index(SECOND), next_=Failed("VerifyFailed", "401")), SECOND), halts=())

    found = rule(history)

    assert (found.verdict.state, found.verdict.reason) == (State.BLOCKED, Reason.HELD)


def test_suspended_starts_nothing_and_follows_what_runs():
    history = History(runs=(run(5, begun=True),), suspensions=(Suspension("", "ada", "storm", AT),))

    found = rule(history)

    assert found.verdict.state is State.SUSPENDED
    assert [ready.adopt for ready in found.ready] == [True]


def test_suspended_in_git_counts_for_the_group_only():
    suspended = desired(release="2026.1", suspended="change freeze")

    found = rule(History(runs=(run(5),)), suspended)

    assert found.verdict.state is State.SUSPENDED
    assert "change freeze" in found.verdict.text


def test_newer_inputs_drop_a_run_that_only_prepared_and_turn_back_one_that_began():
    assert kinds(rule(History(runs=(run(3),)), desired(release="yoga"))) == [Kind.RUN_ENDED]
    assert kinds(rule(History(runs=(run(8),)), desired(release="yoga"))) == [Kind.TURNED_BACK]


def test_newer_inputs_wait_for_the_step_that_runs():
    found = rule(History(runs=(run(10, begun=True),)), desired(release="yoga"))

    assert found.drafts == ()
    assert [ready.adopt for ready in found.ready] == [True]


def test_a_forward_change_in_mid_leg_waits_for_the_legs_end():
    found = rule(History(runs=(run(10),)), desired(release="2026.2"))

    assert found.drafts == ()
    assert [ready.step.id for ready in found.ready] == [IDS[10]]


def test_a_step_past_its_timeout_halts_once_and_is_followed():
    history = History(runs=(run(8, begun=True),))
    late = AT + timedelta(seconds=PLAN.steps[8].timeout_s + 1)

    assert kinds(rule(history, now=late)) == [Kind.HALT_RAISED]
    again = rule(halted(run(8, begun=True), IDS[8], Reason.STEP_SLOW), now=late)
    assert again.drafts == ()
    assert [ready.adopt for ready in again.ready] == [True]


def test_what_failed_is_held():
    found = rule(History(holds=frozenset({("keystone", PLAN.inputs)})))

    assert (found.verdict.state, found.verdict.reason) == (State.BLOCKED, Reason.HELD)


def test_a_fleet_that_was_not_seen_is_waited_for():
    scene = Scene(desired=GOAL, catalog=load_catalog(), history=History(), now=AT)

    assert judge("keystone", None, scene).verdict.state is State.WAITING


def test_what_others_move_is_waited_for_and_never_planned():
    found = rule(History(), desired(release="2026.1", moved_by="others"))

    assert (found.verdict.state, found.verdict.reason) == (State.WAITING, Reason.MOVED_BY_OTHERS)
    assert "keystone is at yoga, to be brought to 2026.1" in found.verdict.text
    assert found.plan is None
    assert kinds(found) == []


def test_what_others_have_moved_is_in_sync():
    assert rule(History(), desired(moved_by="others")).verdict.state is State.IN_SYNC


# ---------------------------------------------------------------- what only advises


ADVISED = replace(
    PLAN, steps=(replace(PLAN.steps[0], advisory=True), *(replace(s, after=(IDS[0],)) for s in PLAN.steps[1:2]))
)


def advised(outcome: Outcome, number: int = 1) -> Run:
    attempts = {IDS[0]: tuple(Attempt(n, AT, 1, outcome, AT) for n in range(1, number + 1))}
    return Run(id="r1", plan=ADVISED, started_at=AT, attempts=attempts)


def test_the_failure_of_an_advice_halts_nothing_and_lets_the_next_step_begin():
    found = rule(History(runs=(advised(Failed("StepFailed", "space is short")),)))

    assert found.drafts == ()
    assert [ready.step.id for ready in found.ready] == [IDS[1]]


def test_an_advice_that_was_lost_is_asked_again_a_bounded_number_of_times():
    again = rule(History(runs=(advised(Lost("StepLost", "no route")),)))
    over = rule(History(runs=(advised(Lost("StepLost", "no route"), MAX_ATTEMPTS),)))

    assert [ready.step.id for ready in again.ready] == [IDS[0]]
    assert [ready.step.id for ready in over.ready] == [IDS[1]]


def test_a_run_ends_although_an_advice_has_failed():
    done = Attempt(1, AT, 1, Done(), AT)
    run = advised(Failed("StepFailed", "space is short"))
    run = replace(run, attempts={**run.attempts, IDS[1]: (done,)})

    assert kinds(rule(History(runs=(run,)))) == [Kind.RUN_ENDED]


# ---------------------------------------------------------------- a daemon that was upgraded

OLDER = "9f" * 32
"""What the daemon before this one called the same inputs: it digested them in another form."""
BEFORE, SINCE = AT - timedelta(minutes=1), AT + timedelta(minutes=1)


def older(of: Run) -> Run:
    return replace(of, plan=replace(of.plan, inputs=OLDER))


def test_a_run_pinned_by_an_older_daemon_goes_on_until_a_commit_comes():
    mine = older(run(8))
    assert [each.step.id for each in rule(History(runs=(mine,), accepted_at=BEFORE)).ready] == IDS[8:9]
    prepared = older(run(2))
    assert kinds(rule(History(runs=(prepared,), accepted_at=BEFORE))) == []
    assert kinds(rule(History(runs=(prepared,), accepted_at=SINCE))) == [Kind.RUN_ENDED]


def test_what_halted_under_an_older_daemon_stays_halted_and_held_until_a_commit_comes():
    failed = older(run(IDS.index(SECOND), next_=Failed("VerifyFailed", "401")))
    backed_out = replace(failed, ended="backed_out", ended_at=AT)
    told = halted(backed_out, SECOND)
    told = replace(
        told, halts=tuple(replace(each, inputs=OLDER) for each in told.halts), holds=frozenset({("keystone", OLDER)})
    )
    assert rule(replace(told, accepted_at=BEFORE)).verdict.state is State.HALTED
    cleared = replace(told, halts=(), accepted_at=BEFORE)
    assert (rule(cleared).verdict.state, rule(cleared).verdict.reason) == (State.BLOCKED, Reason.HELD)
    assert kinds(rule(replace(told, accepted_at=SINCE))) == [Kind.HALT_CLEARED]
    assert kinds(rule(replace(cleared, accepted_at=SINCE))) == [Kind.PLAN_PINNED]
