"""What an open run has still to do, from literals."""

from __future__ import annotations

from dataclasses import replace

from reconciler.cli.remaining import lines_of, remaining_of
from reconciler.domain.outcome import Failed
from reconciler.domain.run import History
from tests.planning.test_judge import AT, IDS, run


def test_only_what_is_not_done_remains_in_the_order_of_the_plan():
    left = remaining_of(History(runs=(run(7, next_=Failed("StepFailed", "no")),)))
    assert [each["step"] for each in left] == IDS[7:]
    assert [each["begun"] for each in left[:2]] == [True, False]


def test_an_ended_run_leaves_nothing():
    assert remaining_of(History(runs=(replace(run(3), ended="dropped", ended_at=AT),))) == []


def test_each_step_stands_with_what_a_person_would_type():
    lines = list(lines_of(remaining_of(History(runs=(run(7),)))))
    assert lines[0] == f"keystone, run r1: {len(IDS) - 7} steps remain"
    schema = next(place for place, line in enumerate(lines) if "schema" in line and line.startswith("  # migrate"))
    assert "on ks1" in lines[schema]
    assert "db_sync" in lines[schema + 1]
