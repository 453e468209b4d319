"""Another tool changes what the daemon brings about, in turn with it."""

from __future__ import annotations

from datetime import date, timedelta

from reconciler.domain.desired import Accept
from reconciler.domain.journal import Kind
from reconciler.domain.reasons import Reason
from reconciler.domain.verdict import State
from reconciler.gates.repeats import TIMES
from tests.scenarios.stage import PASSES, Stage

THEIRS = "f" * 64
"""The digest of a configuration that another tool wrote."""

WAIVED = Accept(what="repeats:keystone", by="ada", reason="the cron job is gone", until=date(2030, 1, 1))


async def fought_over() -> Stage:
    """Let another tool write its own configuration on one host whenever the daemon has written its own."""
    stage = Stage()
    stage.want()
    for _ in range(TIMES):
        await stage.until(State.IN_SYNC)
        meddle(stage)
        await mended(stage)
    await stage.until(State.IN_SYNC)
    meddle(stage)
    return stage


async def mended(stage: Stage) -> None:
    """Pass until the daemon has written its own configuration again."""
    for _ in range(PASSES):
        if stage.fleet.machines["ks2"].stamp != THEIRS:
            return
        await stage.step()
    raise AssertionError("nothing was mended")


def meddle(stage: Stage) -> None:
    stage.fleet.machines["ks2"].stamp = THEIRS


async def test_the_daemon_does_not_fight_for_ever_and_says_who_is_fought_over():
    stage = await fought_over()
    verdict = await stage.until(State.WAITING, reason=Reason.DRIFT_REPEATS)
    assert "ks2" in verdict.text
    assert "ks1" not in verdict.text
    for _ in range(30):
        await stage.step()
    assert stage.fleet.machines["ks2"].stamp == THEIRS


async def test_a_day_later_or_with_a_waiver_it_is_brought_back_once_more():
    stage = await fought_over()
    await stage.until(State.WAITING, reason=Reason.DRIFT_REPEATS)
    stage.want(accepts=(WAIVED,))
    await mended(stage)
    pinned = [entry.body for entry in stage.store_entries() if entry.kind == Kind.PLAN_PINNED]
    risk = {"what": "repeats:keystone", "by": "ada", "reason": "the cron job is gone", "until": "2030-01-01"}
    assert [body.get("accepts") for body in pinned[-2:]] == [None, [risk]]
    await stage.until(State.IN_SYNC)
    meddle(stage)
    stage.want()
    await stage.until(State.WAITING, reason=Reason.DRIFT_REPEATS)
    await stage.clock.advance(timedelta(hours=24).total_seconds())
    await mended(stage)
