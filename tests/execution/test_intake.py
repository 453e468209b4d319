"""What is wanted stays in force when something newer is accepted that cannot be read."""

from __future__ import annotations

import pytest

from reconciler.domain.verdict import State
from reconciler.reconcile import reconcile
from tests.scenarios.stage import Stage
from tests.support.sample import DESIRED


async def accepted_by_hand(stage: Stage, *, refused: bool) -> None:
    """Rewrite the history to a commit that nobody can read, and accept it."""
    rewritten = stage.commit(None, parent="")
    if refused:
        stage.source.refused.add(rewritten)
    await stage.pass_once()
    stage.journal.ask("accept-history", rewritten, "ada", "the history was cleaned")
    await stage.pass_once()
    assert stage.memory.history.accepted == rewritten


@pytest.mark.parametrize("refused", [False, True], ids=["no desired state", "no tree that may be read"])
async def test_a_new_daemon_goes_on_with_what_could_be_read_last(refused):
    stage = Stage()
    good = stage.want()
    await stage.until(State.IN_SYNC)
    await accepted_by_hand(stage, refused=refused)
    await stage.kill()
    stage.start()
    report = await stage.pass_once()
    assert (report.revision, report.desired is None) == (good, False)
    assert report.problems or report.source.problem


async def test_a_commit_that_was_fetched_and_never_told_of_is_taken_when_it_is():
    stage = Stage()
    good = stage.want()
    await stage.until(State.IN_SYNC)
    newer = stage.want(release="2026.1")
    stage.source.unheard = True
    report = await stage.pass_once()
    assert (report.revision, report.source.problem) == (good, "SourceUnreachable")
    stage.source.unheard = False
    assert (await stage.pass_once()).revision == newer


async def test_a_commit_is_accepted_when_the_source_was_asked_and_not_before():
    stage = Stage()
    stage.want()
    await stage.until(State.IN_SYNC)
    rewritten = stage.commit(DESIRED, parent="")
    await stage.pass_once()
    stage.journal.ask("accept-history", rewritten, "ada", "the history was cleaned")
    await stage.kill()
    stage.start()

    await reconcile(stage.memory)
    assert len(stage.journal.commands()) == 1
    await stage.pass_once()
    assert not stage.journal.commands()
    assert stage.memory.history.accepted == rewritten
