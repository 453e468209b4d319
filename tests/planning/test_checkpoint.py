"""Whatever is sealed: what is decided afterwards is what would be decided with the whole journal."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.domain.run import History
from reconciler.planning.deployments import _cut_over
from reconciler.planning.durations import durations_of
from reconciler.planning.history import fold
from reconciler.planning.kept import kept_sets
from reconciler.planning.plan_back import barred_by
from reconciler.planning.position import _remembered
from reconciler.planning.rehearsal import newest
from reconciler.planning.sums import sums_of
from tests.planning.lives import GROUPS, SEAL, Life, choices


def ways_back(history: History, group: str) -> Iterator[tuple[str, str]]:
    """Yield where a way back leads: over which run, to which release."""
    for run in reversed(history.completed(group)):
        if barred_by(run, history):
            return
        yield from ((run.id, route.start) for route in run.plan.services if run.plan.hops)


def asked(history: History) -> dict[str, object]:
    """Return what planning asks of a journal."""
    return {
        "groups": {
            group: (
                history.open_run(group),
                history.superseded(group),
                [run.id for run in history.completed(group)[-1:] if run.plan.hops],
                [*ways_back(history, group)],
            )
            for group in GROUPS
        },
        "legs": history.open_legs(),
        "commits": (history.accepted, history.read, history.trusted, history.refused),
        "people": (history.suspensions, history.rehearsals_asked),
        "halts": (history.halts, history.holds, history.halts_raised),
        "yes": [each for each in history.approvals if any(run.id == each.run for run in history.open_legs())],
        "sets": [each for each in kept_sets(history) if each.removed_at is None],
        "stands": {name: (_remembered(name, history), _cut_over(name, history)) for name in ("a", "b")},
        "rehearsed": newest(history),
        "begun": history.begun,
        "durations": durations_of(history),
    }


@pytest.mark.parametrize("seed", [840, 1358, 1698, 1972])
def test_what_stands_when_newer_runs_are_undone_or_taken_over_is_kept(seed: int):
    """These lives lost a run that stood again later: behind an open leg, or behind all that led back."""
    decides_alike(Random(seed), 120)


@settings(deadline=None, max_examples=80)
@given(st.randoms(use_true_random=False), st.integers(10, 150))
def test_what_is_decided_is_the_same_with_checkpoints(chance: Random, count: int):
    decides_alike(chance, count)


def decides_alike(chance: Random, count: int) -> None:
    """Live a life, and ask a journal that was sealed and one that never was."""
    life = Life()
    life.live([*choices(chance, count), SEAL])

    assert fold(life.all) == life.now
    assert asked(life.now) == asked(life.never)
    assert sums_of(life.now).counts == pytest.approx(sums_of(life.never).counts)
    assert sums_of(life.now).backups == sums_of(life.never).backups
